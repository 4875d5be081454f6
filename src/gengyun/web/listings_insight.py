"""Export of the insight tables, and of what lies behind a cell: rows of the page, as figures."""

from decimal import Decimal

from django.utils.translation import gettext as _

from gengyun.customers.actions.exporting import Sheet
from gengyun.customers.models import Customer
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed
from gengyun.revenue.queries.settings import policy as company_policy
from gengyun.team.queries.access import can
from gengyun.web.listings import steps
from gengyun.web.present import insight_ask
from gengyun.web.views.insight import arr, cells, cohorts, money, retention, retention_cells
from gengyun.web.views.insight.common import ECONOMICS

CENT = Decimal("0.01")
MOST = 2_000
KEPT = ("page", "of", "column", "period", "seg", "scope", "span", "grain", "by", "since", "until")
MORE = ("known", "detail", "window")


def _asked(query):
    return insight_ask.read(query, today=day_of(utc_now()), scope="team", usual=company_policy())


def _clean(query):
    return {
        name: str(value)[:60]
        for name, value in query.items()
        if name in KEPT or name in MORE or name.startswith("p.")
    }


class InsightListing:
    """A table of figures: what the page shows, with amounts to the minor unit."""

    capability = None
    BOARDS = {
        "waterfall": lambda actor, ask: arr.table(actor, ask)[0],
        "retention": retention.retention_board,
        "renewals": retention.renewal_board,
        "cohorts": cohorts.cohort_board,
        "concentration": money.concentration_board,
        "economics": money.economics_board,
    }

    def clean(self, actor, query):
        cleaned = _clean(query)
        if cleaned.get("page") not in self.BOARDS:
            cleaned["page"] = "waterfall"
        if cleaned["page"] == "economics" and not can(actor, ECONOMICS):
            raise NotAllowed
        return cleaned

    def _board(self, actor, query):
        return self.BOARDS[query["page"]](actor, _asked(query))

    def count(self, actor, query, today, limit):
        return min(limit, len(self._board(actor, query).rows))

    def sheet(self, actor, query, today):
        board = self._board(actor, query)
        headers = [board.head or _("Period"), *(column.label for column in board.columns)]
        rows = [*board.rows, *([board.total] if board.total else [])]
        return Sheet(headers, ([row.label, *map(_value, row.cells)] for row in rows))


def _value(cell):
    if cell.reason:
        return None
    return cell.text if cell.value is None else cell.value


class InsightCellListing:
    """The customers behind a figure, each with its part; the parts add up to the figure."""

    capability = None

    def clean(self, actor, query):
        cleaned = _clean(query)
        if cleaned.get("of") not in {"kept", "due"}:
            cleaned["of"] = "arr"
        return cleaned

    def _found(self, actor, query):
        ask = _asked(query)
        if query["of"] == "kept":
            _book, found, _title = retention_cells.kept_of(actor, ask, query)
            columns = (found.customers, found.start, found.kept, found.end)
            return [column.tolist() for column in columns]
        if query["of"] == "due":
            held, found, _title = retention_cells.due_behind(actor, ask, query)
            places = found.places
            columns = (held.customer[places], held.rows.due[places], held.rows.renewed[places])
            return [column.tolist() for column in columns]
        _book, found, _span, _name = cells.cell_of(actor, ask, query)
        return [found.customers.tolist(), found.amount.tolist()]

    def count(self, actor, query, today, limit):
        return min(limit, len(self._found(actor, query)[0]))

    def sheet(self, actor, query, today):
        amounts = {
            "arr": [_("Amount")],
            "kept": [_("ARR at the start"), _("Kept, without growth"), _("ARR at the end")],
            "due": [_("ARR due"), _("Renewed")],
        }[query["of"]]
        headers = [_("Customer id"), _("Customer"), *amounts]
        return Sheet(headers, self._lines(actor, self._found(actor, query)))

    def _lines(self, actor, columns):
        rows = list(zip(*columns, strict=True))
        for part in steps(rows):
            named = Customer.objects.visible_to(actor).in_bulk({row[0] for row in part})
            for pk, *amounts in part:
                if (customer := named.get(pk)) is not None:
                    exact = [(Decimal(minor) / 100).quantize(CENT) for minor in amounts]
                    yield [customer.external_id, customer.name, *exact]
