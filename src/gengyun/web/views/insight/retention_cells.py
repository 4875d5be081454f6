"""What lies behind a figure of retention: the customers, their movements or renewals."""

from urllib.parse import urlencode

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc import renewal_rates, retention
from gengyun.revenue.calc.moves import day_number
from gengyun.revenue.models import Renewal
from gengyun.revenue.queries import insight as queries
from gengyun.revenue.queries import insight_retention as behind
from gengyun.web.access import page
from gengyun.web.present import insight as present
from gengyun.web.present import insight_cells, insight_retention
from gengyun.web.views.insight.common import ask_of, book_of, page_number, period_of, show
from gengyun.web.views.insight.retention import due_of, windows_of
from gengyun.web.words import gettext, is_zh

PER = insight_cells.PER_PAGE


def kept_of(actor, ask, given):
    """(book, what lies behind, title's parts)."""
    column = given.get("column", "end")
    if column not in behind.BOOK_COLUMNS:
        raise NotFound
    held = book_of(actor, ask)
    periods, windows, whole = windows_of(ask)
    at = period_of(periods, given.get("period", ""))
    name = ""
    if ask.by and given.get("seg"):
        held = held.only(queries.segment_rows(held, ask.by, given["seg"]))
        name = queries.segment_name(ask.by, given["seg"])[0 if is_zh() else 1]
    window = whole if at is None else windows[at]
    return held, behind.kept_cell(held, window, ask.policy, column), (window, name)


@page()
def kept(request):
    ask = ask_of(request)
    held, found, (window, segment) = kept_of(request.user, ask, request.GET)
    column, number = request.GET.get("column", "end"), page_number(request)
    part = slice((number - 1) * PER, number * PER)
    pks = found.customers[part].tolist()
    customers = Customer.objects.visible_to(request.user).in_bulk(pks)
    rows = found.rows & np.isin(held.customers[held.moves.unit], pks)
    moved = queries.movements(request.user, held.pk[rows].tolist())
    in_base = dict(zip(held.pk[rows].tolist(), held.moves.amount[rows].tolist(), strict=True))
    asked = {k: request.GET[k] for k in ("column", "period", "seg") if request.GET.get(k)}
    shown = insight_cells.CellPage(
        title=insight_cells.title(
            str(insight_retention.BOOK_NAMES[column]), insight_cells.window_name(window), segment
        ),
        lead=_("ARR at the start, what of it is kept, and ARR at the end, customer by customer."),
        back=f"{reverse('web:insight_retention')}?{ask.query()}",
        unit=present.unit_of(held.currency),
        definition=gettext(retention.NRR) + " " + gettext(retention.GRR),
        columns=[
            str(insight_retention.BOOK_NAMES["start"]), _("Kept, without growth"),
            str(insight_retention.BOOK_NAMES["end"]), _("Change of ARR"),
        ],
        parts=insight_cells.kept_parts(
            found, part, customers, moved, in_base, ledger_query=ask.query()
        ),
        totals=insight_cells.kept_totals(found),
        count=len(found.customers),
        page=number,
        pages=max(1, -(-len(found.customers) // PER)),
        at=f"?{urlencode(asked)}&{ask.query()}",
    )  # fmt: skip
    return show(request, "insight/cell.html", ask, {"cell": shown, "asked": asked, "of": "kept"})


def due_behind(actor, ask, given):
    """(due book, what lies behind, title's parts)."""
    column = given.get("column", "due")
    if column not in behind.DUE_COLUMNS:
        raise NotFound
    held, periods = due_of(actor, ask), ask.periods()
    at = period_of(periods, given.get("period", ""))
    name = ""
    if ask.by and given.get("seg"):
        held = held.only(queries.due_segment_rows(held, ask.by, given["seg"]))
        name = queries.segment_name(ask.by, given["seg"])[0 if is_zh() else 1]
    spans = periods if at is None else [periods[at]]
    found = behind.due_cell(held, spans, day_number(ask.as_of), ask.policy, column)
    return held, found, (spans, name)


@page()
def due(request):
    ask = ask_of(request)
    held, found, (spans, segment) = due_behind(request.user, ask, request.GET)
    column, number = request.GET.get("column", "due"), page_number(request)
    part = slice((number - 1) * PER, number * PER)
    places = found.places[part].tolist()
    pks = {int(held.customer[at]) for at in places}
    customers = Customer.objects.visible_to(request.user).in_bulk(pks)
    renewals = {
        (one.customer_id, one.group, one.due_on): one
        for one in Renewal.objects.visible_to(request.user)
        .filter(customer__in=pks)
        .select_related("successor__contract", "product")
        .prefetch_related("lines__contract")
        .order_by("pk")
    }
    asked = {k: request.GET[k] for k in ("column", "period", "seg") if request.GET.get(k)}
    period = present.period_name(spans[0]) if len(spans) == 1 else ""
    shown = insight_cells.CellPage(
        title=insight_cells.title(str(insight_retention.DUE_NAMES[column]), period, segment),
        lead=_("What came due, what of it was renewed, and the contracts, renewal by renewal."),
        back=f"{reverse('web:insight_renewals')}?{ask.query()}",
        unit=present.unit_of(held.currency),
        definition=gettext(renewal_rates.NET),
        columns=[str(insight_retention.DUE_NAMES[name]) for name in ("due", "renewed")],
        parts=insight_cells.due_parts(held, places, customers, renewals, ask.query()),
        totals=insight_cells.due_totals(held, found.places),
        count=len(set(held.customer[found.places].tolist())),
        page=number,
        pages=max(1, -(-len(found.places) // PER)),
        at=f"?{urlencode(asked)}&{ask.query()}",
    )  # fmt: skip
    return show(request, "insight/cell.html", ask, {"cell": shown, "asked": asked, "of": "due"})
