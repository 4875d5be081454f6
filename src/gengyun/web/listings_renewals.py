"""Export of renewals: the grid with its period, filters, order, and past day."""

from dataclasses import asdict
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.alerts.models import RiskCause
from gengyun.customers.actions.exporting import Sheet
from gengyun.kernel.currencies import major
from gengyun.portfolio.queries.churn import of_renewals
from gengyun.revenue.models import Renewal, SelfCheck
from gengyun.revenue.queries import renewals as queries
from gengyun.web.listings import steps
from gengyun.web.present import churn
from gengyun.web.present import renewals as present
from gengyun.web.views.renewals import Address, rows_of
from gengyun.web.words import pick


def _amount(minor, currency):
    return None if minor is None else major(minor, currency)


class RenewalsListing:
    capability = None

    def clean(self, actor, query):
        return asdict(Address(**{**query, "page": 1}))

    def _found(self, actor, query, today):
        address = Address(**query)
        rows = rows_of(actor, address, today=today)
        return queries.ordered(rows, address.sort), address

    def count(self, actor, query, today, limit):
        rows, _address = self._found(actor, query, today)
        return rows.order_by().values("pk")[:limit].count()

    def sheet(self, actor, query, today):
        headers = [
            _("Customer id"), _("Customer"), _("Tier"), pgettext("column", "CSM"),
            _("What comes due"), _("Due date"), _("ARR that comes due"), _("Currency"),
            _("CSM's judgement"), _("Forecast"), _("Price asked"), _("Asked over due"),
            _("Churn probability"), _("80% interval"),
            _("State"), _("Outcome"), _("Decided on"),
            _("Cause of the loss"), _("Signal"), _("Facts"), _("Self-check 1"), _("Self-check 2"),
            _("Self-check 3"), _("Self-check 4"),
        ]  # fmt: skip
        rows, address = self._found(actor, query, today)
        return Sheet(headers, self._lines(rows, address))

    def _lines(self, rows, address):
        causes = {cause.key: pick(cause) for cause in RiskCause.objects.all()}
        for part in steps(list(rows.values_list("pk", flat=True))):
            found = queries.shown(Renewal.objects.filter(pk__in=part))
            if address.then:
                day = date.fromisoformat(address.then)
                known = queries.as_of(found, date.fromordinal(day.toordinal() + 1))
            else:
                known = list(found)
            by_pk = {row.pk: row for row in known}
            # a past day is told as it stood, and of that the renewal keeps no probability
            said = {} if address.then else of_renewals(part)
            answers = {pk: [""] * 4 for pk in part}
            for check in SelfCheck.objects.filter(renewal_id__in=part):
                answer = present.answer_word(check.answer or check.auto_answer)
                answers[check.renewal_id][check.question - 1] = answer
            for pk in part:
                if pk in by_pk:
                    yield [*_row(by_pk[pk], causes, said.get(pk)), *answers[pk]]


def _row(row, causes, said):
    customer = row.customer
    return [
        customer.external_id,
        customer.name,
        pick(customer.tier) if customer.tier else None,
        customer.owner.name if customer.owner else None,
        present.product_name(row),
        row.due_on,
        _amount(row.due_minor, row.currency),
        row.currency,
        present.category_word(row.category),
        _amount(row.forecast_minor, row.currency),
        _amount(row.asked_minor, row.currency),
        None if row.rise is None else round(row.rise, 4),
        None if said is None or said.probability is None else round(said.probability, 4),
        churn.interval(said.low, said.high) if said else "",
        present.change_value("state", row.state, row.currency),
        _amount(row.outcome_minor, row.currency),
        row.decided_on,
        causes.get(row.cause, row.cause),
        present.signal_word(row.signal) if row.signal else None,
        "; ".join(present.facts(row.signal_why)),
    ]
