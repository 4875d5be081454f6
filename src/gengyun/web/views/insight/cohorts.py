"""Cohorts: who began when, and what is left of them at each age."""

from urllib.parse import urlencode

import numpy as np
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc.cohort_groups import grouped
from gengyun.revenue.calc.cohorts import DEFINITION, cohorts_of_moves, month_number
from gengyun.revenue.calc.spans import MONTHS
from gengyun.revenue.queries import insight as queries
from gengyun.revenue.queries import insight_cohorts as behind
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import insight as present
from gengyun.web.present import insight_cells, insight_cohorts
from gengyun.web.views.insight.common import ask_of, book_of, page_number, show
from gengyun.web.words import gettext

KEYS = ("pause", "fx")
PER = insight_cells.PER_PAGE


def cohorts_of(actor, ask):
    """(book, cohorts, months of a period)."""
    held = book_of(actor, ask)
    first, last = ask.days()
    until = month_number(last)
    step = MONTHS[ask.grain]
    if not len(held.moves):
        return held, [], step
    begin = month_number(first) // step * step
    oldest = min(behind.first_month(held), begin)
    rows = cohorts_of_moves(held.moves, oldest, until)
    return held, grouped([row for row in rows if row.month >= begin], step, until), step


def cohort_board(actor, ask):
    held, found, step = cohorts_of(actor, ask)

    def link(cohort, age):
        query = urlencode({"cohort": cohort.first, "age": age})
        return f"{reverse('web:insight_cohorts_cell')}?{query}&{ask.query()}"

    board = insight_cohorts.board(
        found, step, by_count=not ask.detail, link=link, currency=held.currency
    )
    board.warnings = present.without_rate(held.without_rate)
    return board


@page()
def cohorts(request):
    ask = ask_of(request)
    board = cohort_board(request.user, ask)
    board.toggle = insight_cohorts.toggle(ask)
    return show(request, "insight/cohorts.html", ask, {"found": board}, keys=KEYS)


@page()
def cell(request):
    ask = ask_of(request)
    if not request.GET.get("cohort"):
        return HttpResponseRedirect(f"{reverse('web:insight_cohorts')}?{ask.query()}")
    held, found, step = cohorts_of(request.user, ask)
    first, age = request.GET.get("cohort", ""), request.GET.get("age", "")
    chosen = [c for c in found if is_number(first) and c.first == int(first)]
    if not chosen or not is_number(age) or int(age) >= len(chosen[0].counts):
        raise NotFound
    cohort, number = chosen[0], page_number(request)
    members = behind.members(held, cohort, int(age), step)
    part = slice((number - 1) * PER, number * PER)
    pks = members.customers[part].tolist()
    customers = Customer.objects.visible_to(request.user).in_bulk(pks)
    rows = np.isin(held.customers[held.moves.unit], pks) & (held.moves.day <= members.until)
    moved = queries.movements(request.user, held.pk[rows].tolist())
    in_base = dict(zip(held.pk[rows].tolist(), held.moves.amount[rows].tolist(), strict=True))
    asked = {k: request.GET[k] for k in ("cohort", "age") if request.GET.get(k)}
    shown = insight_cells.CellPage(
        title=insight_cohorts.cell_title(cohort, int(age), step),
        lead=_("Who began then: ARR at the end of the first month, and now at this age."),
        back=f"{reverse('web:insight_cohorts')}?{ask.query()}",
        unit=present.unit_of(held.currency),
        definition=gettext(DEFINITION),
        columns=[_("First month"), _("At this age"), _("Change of ARR")],
        parts=insight_cells.cohort_parts(
            members, part, customers, moved, in_base, ledger_query=ask.query()
        ),
        totals=insight_cells.cohort_totals(members),
        count=len(members.customers),
        page=number,
        pages=max(1, -(-len(members.customers) // PER)),
        at=f"?{urlencode(asked)}&{ask.query()}",
    )
    return show(request, "insight/cell.html", ask, {"cell": shown, "asked": asked, "of": ""})
