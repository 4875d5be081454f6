"""Export of the opportunities of a list, with its filters and order."""

from dataclasses import asdict

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.customers.actions.exporting import Sheet
from gengyun.kernel.currencies import major
from gengyun.revenue.models import Opportunity
from gengyun.revenue.queries import opportunities as queries
from gengyun.web.listings import steps
from gengyun.web.present import opportunities as present
from gengyun.web.views.opportunities import Address, filters_of
from gengyun.web.words import pick

RELATED = ("customer", "owner", "product", "stage", "won_line__contract")


class OpportunitiesListing:
    capability = None

    def clean(self, actor, query):
        return asdict(Address(**{**query, "page": 1}))

    def _found(self, actor, query, today):
        address = Address(**query)
        filters = filters_of(actor, address)
        if address.view == "board":  # the board shows every stage
            return queries.found(actor, filters, today=today).order_by("stage__position", "pk")
        return queries.listing(actor, filters, today=today, sort=address.sort)

    def count(self, actor, query, today, limit):
        return self._found(actor, query, today).order_by().values("pk")[:limit].count()

    def sheet(self, actor, query, today):
        headers = [
            _("Customer id"), _("Customer"), _("Opportunity"), _("Kind"), _("Product"), _("Stage"),
            _("Probability of the stage"), _("Amount"), _("Currency"), _("Expected on"),
            _("Next step"), _("Day of the next step"), _("Owner"),
            pgettext("opportunity", "Source"), _("Closed on"), _("Why it was lost"), _("Contract"),
        ]  # fmt: skip
        return Sheet(headers, self._lines(self._found(actor, query, today)))

    def _lines(self, found):
        for part in steps(list(found.values_list("pk", flat=True))):
            rows = Opportunity.objects.select_related(*RELATED).in_bulk(part)
            for o in (rows[pk] for pk in part if pk in rows):
                amount = o.amount_minor
                yield [
                    o.customer.external_id, o.customer.name, o.name,
                    str(present.kind_word(o.kind)), pick(o.product) if o.product else None,
                    pick(o.stage), o.stage.probability_bp / 10_000,
                    None if amount is None else major(amount, o.currency),
                    o.currency, o.expected_on, o.next_step,
                    o.next_step_on, o.owner.name if o.owner else None, o.source,
                    o.closed_on, o.loss_reason,
                    o.won_line.contract.number if o.won_line else None,
                ]  # fmt: skip
