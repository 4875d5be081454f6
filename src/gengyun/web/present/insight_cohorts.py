"""Cohort tables, ready to be drawn. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.revenue.calc.cohort_groups import Cohort
from gengyun.revenue.calc.cohorts import DEFINITION
from gengyun.web.present import format as plain
from gengyun.web.present.insight import (
    Board,
    Column,
    Row,
    TableCell,
    count_cell,
    money_cell,
    share_cell,
    unit_of,
)
from gengyun.web.words import gettext, is_zh


def board(
    found: Sequence[Cohort],
    step: int,
    *,
    by_count: bool,
    link: Callable[[Cohort, int], str],
    currency: str,
) -> Board:
    """Rows: cohorts; columns: ages in periods. `heat` of a cell: 0 to 5 by its share."""
    shown = [one for one in found if one.counts]
    ages = max((len(one.counts) for one in shown), default=0)
    return Board(
        title=_("Customers left") if by_count else _("ARR left"),
        lead=_lead(shown, by_count=by_count),
        head=_("Began in"),
        unit=_("share of the first month") + ("" if by_count else f" · {unit_of(currency)}"),
        currency=currency,
        columns=[
            Column("size", _("Customers")),
            Column("arr", _("ARR of the first month")),
            *(Column(f"a{age}", age_name(age, step), edge=not age) for age in range(ages)),
        ],
        rows=[_row(one, ages, step, by_count=by_count, link=link) for one in shown],
        definitions=[(_("Cohorts"), gettext(DEFINITION), [])],
    )


def _row(
    one: Cohort, ages: int, step: int, *, by_count: bool, link: Callable[[Cohort, int], str]
) -> Row:
    first = link(one, 0) if one.counts else ""
    cells = [count_cell(one.size, first), money_cell(one.arr)]
    for age in range(ages):
        if age >= len(one.counts):
            cells.append(TableCell(""))
            continue
        figure = one.share(age, by_count=by_count)
        cells.append(share_cell(figure, link(one, age), digits=0))
    return Row(cohort_name(one, step), cells)


def cohort_name(one: Cohort, step: int) -> str:
    year, month = one.first // 12, one.first % 12 + 1
    if step == 12:
        return f"{year} 年" if is_zh() else f"{year}"
    if step == 3:
        number = (month - 1) // 3
        return f"{year} {'一二三四'[number]}季度" if is_zh() else f"Q{number + 1} {year}"
    return f"{year}-{month:02d}" if is_zh() else f"{plain.MONTHS_EN[month - 1]} {year}"


def age_name(age: int, step: int) -> str:
    if age == 0:
        return _("Began")
    months = age * step
    if months % 12 == 0:
        return ngettext("%(num)s year", "%(num)s years", months // 12) % {"num": months // 12}
    return ngettext("%(num)s month", "%(num)s months", months) % {"num": months}


def cell_title(one: Cohort, age: int, step: int) -> str:
    return f"{_('Cohorts')} · {cohort_name(one, step)} · {age_name(age, step)}"


def toggle(ask: Any) -> tuple[str, list[tuple[str, str, bool]]]:
    return (
        _("Count"),
        [
            (_("Customers"), "?" + ask.query(detail=""), not ask.detail),
            ("ARR", "?" + ask.query(detail="kinds"), bool(ask.detail)),
        ],
    )


def _lead(shown: Sequence[Cohort], *, by_count: bool) -> str:
    """All cohorts together at the oldest age that all but the newest few have reached."""
    size = sum(one.size for one in shown)
    if not size:
        return _("Nobody began in this time.")
    left = sum(one.counts[-1] for one in shown)
    return _("%(size)s customers began in this time; %(left)s of them pay today.") % {
        "size": plain.count(size),
        "left": plain.count(left),
    }
