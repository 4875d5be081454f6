"""From a figure to the customers behind it, their movements, and the single contract."""

from urllib.parse import urlencode

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc.spans import ends as ends_of
from gengyun.revenue.calc.waterfall import COLUMNS, DEFINITION
from gengyun.revenue.queries import insight as queries
from gengyun.web.access import page
from gengyun.web.present import insight as present
from gengyun.web.present import insight_cells
from gengyun.web.views.insight.common import ask_of, book_of, page_number, period_of, show
from gengyun.web.words import gettext, is_zh

LEVELS = ("opening", "closing")
OTHERS = (*LEVELS, "net", "fx")


def cell_of(actor, ask, given):
    """(book, cell, its period or None, its segment's name)."""
    column, is_kind = given.get("column", "closing"), bool(ask.detail)
    if column not in OTHERS and column not in (queries.KINDS if is_kind else COLUMNS):
        raise NotFound
    held, periods = book_of(actor, ask), ask.periods()
    at = period_of(periods, given.get("period", ""))
    segment = ""
    if ask.by and given.get("seg"):
        held = held.only(queries.segment_rows(held, ask.by, given["seg"]))
        segment = queries.segment_name(ask.by, given["seg"])[0 if is_zh() else 1]
    boundaries = ends_of(periods)
    if ask.by and at is None:  # rows of a breakdown compare both ends of the whole stretch
        boundaries = [boundaries[0], boundaries[-1]]
    by_kind = is_kind and column not in OTHERS
    found = queries.cell(held, boundaries, ask.policy, column, period=at, is_kind=by_kind)
    return held, found, None if at is None else periods[at], segment


@page()
def cell(request):
    ask = ask_of(request)
    held, found, span, segment = cell_of(request.user, ask, request.GET)
    column = request.GET.get("column", "closing")
    number = page_number(request)
    per = insight_cells.PER_PAGE
    window = slice((number - 1) * per, number * per)
    pks, amounts = found.customers[window].tolist(), found.amount[window].tolist()
    customers = Customer.objects.visible_to(request.user).in_bulk(pks)
    behind = _movements(request.user, held, found, pks)
    names = present.KIND_NAMES if ask.detail and column not in OTHERS else present.COLUMN_NAMES
    asked = {k: request.GET[k] for k in ("column", "period", "seg") if request.GET.get(k)}
    shown = insight_cells.CellPage(
        title=_title(str(names[column]), span, segment, ask),
        lead=insight_cells.lead(_total(found.total, column, held.currency), len(found.customers)),
        back=f"{reverse('web:insight')}?{ask.query()}",
        unit=present.unit_of(held.currency),
        definition=gettext(DEFINITION),
        columns=[str(names[column])],
        parts=insight_cells.parts(
            zip(pks, amounts, strict=True),
            customers,
            behind,
            _in_base(held, found),
            ledger_query=ask.query(),
            is_level=column in LEVELS,
        ),
        totals=[_in_table(found.total, column)],
        count=len(found.customers),
        page=number,
        pages=max(1, -(-len(found.customers) // per)),
        at=f"?{urlencode(asked)}&{ask.query()}",
    )
    return show(request, "insight/cell.html", ask, {"cell": shown, "asked": asked, "of": "arr"})


def _title(name, span, segment, ask):
    first, last = ask.days()
    when = present.period_name(span) if span else _("%(from)s to %(to)s") % {
        "from": first.isoformat(),
        "to": last.isoformat(),
    }  # fmt: skip
    return " · ".join(part for part in (name, when, segment) if part)


def _in_table(minor, column):
    return present.amount(minor) if column in LEVELS else present.signed(minor)


def _total(minor, column, currency):
    if column in LEVELS:
        return present.money(minor, currency)
    return ("+" if minor > 0 else "") + present.money(minor, currency)


def _movements(actor, held, found, pks):
    """The movements behind the customers of this page."""
    units = np.flatnonzero(np.isin(held.customers, pks))
    rows = found.rows & np.isin(held.moves.unit, units)
    return queries.movements(actor, held.pk[rows].tolist())


def _in_base(held, found):
    rows = found.rows
    return dict(zip(held.pk[rows].tolist(), held.moves.amount[rows].tolist(), strict=True))


@page()
def ledger(request, pk):
    """Every movement of one customer: what its ARR is the sum of."""
    ask = ask_of(request)
    customer = customer_queries.get(request.user, pk)
    rows = queries.ledger(request.user, customer, until=ask.as_of, known=ask.known)
    context = {
        "customer": customer,
        "rows": insight_cells.ledger_rows(rows),
        "unit": _("each in the currency of its contract"),
    }
    return show(request, "insight/ledger.html", ask, context)
