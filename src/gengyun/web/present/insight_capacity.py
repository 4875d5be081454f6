"""The load of each CSM as bars and words; a plan of moves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gengyun.revenue.calc.figure import NO_SALARY
from gengyun.revenue.calc.unit_economics import CAPACITY
from gengyun.web.present import format as plain
from gengyun.web.present.insight import money
from gengyun.web.words import gettext

STATES = {
    "over": ("d", gettext_lazy("overloaded")),
    "under": ("c", gettext_lazy("has room")),
    "normal": ("a", gettext_lazy("normal")),
    "unknown": ("n", gettext_lazy("salary not known")),
}


@dataclass(frozen=True)
class Bar:
    """Geometry from 0 to 100: the band of what is normal, and what is carried."""

    low: float
    band: float
    fill: float
    state: str


@dataclass(frozen=True)
class LoadRow:
    pk: int
    name: str
    customers: str
    weighted: str
    arr: str
    salary: str
    ratio: str
    reason: str
    room: str
    alerts: int
    renewals: int
    state: tuple[str, str]
    bar: Bar | None


@dataclass(frozen=True)
class CapacityBoard:
    rows: list[LoadRow]
    lead: str
    band: str
    definition: str
    currency: str
    unowned: int
    unowned_arr: str
    without_rate: int
    can_plan: bool


def capacity(found: Any) -> CapacityBoard:
    most = max((float(one.load.ratio) for one in found.rows if one.load.ratio), default=0.0)
    scale = max(most, float(found.band.high) * 1.25) or 1.0
    rows = [_row(one, found, scale) for one in found.rows]
    states = [one.load.state for one in found.rows]
    return CapacityBoard(
        rows=rows,
        lead=_lead(states),
        band=_("%(low)s to %(high)s times the yearly salary cost")
        % {"low": _times(found.band.low), "high": _times(found.band.high)},
        definition=gettext(CAPACITY),
        currency=found.currency,
        unowned=found.unowned,
        unowned_arr=money(found.unowned_minor, found.currency),
        without_rate=found.without_rate,
        can_plan=any(state in {"over", "under"} for state in states),
    )


def _lead(states: list[str]) -> str:
    over, under, unknown = (states.count(name) for name in ("over", "under", "unknown"))
    text = ngettext(
        "Of %(num)s CSM %(over)s overloaded, %(under)s with room.",
        "Of %(num)s CSMs %(over)s overloaded, %(under)s with room.",
        len(states),
    ) % {"num": len(states), "over": over, "under": under}
    if unknown:
        text += " " + _("For %(count)s no salary cost is recorded.") % {"count": unknown}
    return text


def _row(one: Any, found: Any, scale: float) -> LoadRow:
    load = one.load
    return LoadRow(
        pk=one.user.pk,
        name=one.user.name,
        customers=plain.count(load.customers),
        weighted=plain.number(float(load.weighted)),
        arr=money(load.arr_minor, found.currency),
        salary=money(load.salary_minor, found.currency),
        ratio="" if load.ratio is None else _times(load.ratio),
        reason=gettext(NO_SALARY) if load.ratio is None else "",
        room=money(load.room_minor, found.currency),
        alerts=one.open_alerts,
        renewals=one.renewals,
        state=(STATES[load.state][0], str(STATES[load.state][1])),
        bar=None if load.ratio is None else _bar(load, found.band, scale),
    )


def _times(ratio: Decimal) -> str:
    return plain.number(float(ratio))


def _bar(load: Any, band: Any, scale: float) -> Bar:
    low, high = float(band.low) / scale * 100, float(band.high) / scale * 100
    return Bar(
        low=round(low, 1),
        band=round(high - low, 1),
        fill=round(min(100.0, float(load.ratio) / scale * 100), 1),
        state=load.state,
    )


@dataclass(frozen=True)
class MoveRow:
    value: str  # of the checkbox: customer-target
    customer: str
    pk: int
    source: str
    target: str
    arr: str


@dataclass(frozen=True)
class ChangeRow:
    name: str
    before: str
    after: str
    before_state: tuple[str, str]
    after_state: tuple[str, str]
    customers: str


@dataclass(frozen=True)
class PlanBoard:
    lead: str
    moves: list[MoveRow]
    changes: list[ChangeRow]


def plan(found: Any, board: Any, names: Mapping[int, str]) -> PlanBoard:
    people = {one.user.pk: one.user.name for one in board.rows}
    moves = [
        MoveRow(
            value=f"{move.customer}-{move.target}",
            customer=names[move.customer],
            pk=move.customer,
            source=people[move.source],
            target=people[move.target],
            arr=money(move.arr_minor, board.currency),
        )
        for move in found.moves
        if move.customer in names
    ]
    return PlanBoard(_plan_lead(found, board.currency), moves, _changes(found, people))


def _plan_lead(found: Any, currency: str) -> str:
    if not found.moves:
        return _("No move brings anybody closer to a normal load; customers that stay are kept.")
    return _(
        "%(count)s customers with %(arr)s would change hands; ARR outside the normal loads falls "
        "from %(before)s to %(after)s."
    ) % {
        "count": found.customers,
        "arr": money(found.arr_minor, currency),
        "before": money(found.outside(after=False), currency),
        "after": money(found.outside(after=True), currency),
    }


def _changes(found: Any, people: Mapping[int, str]) -> list[ChangeRow]:
    rows = []
    for pk, before in found.before.items():
        after = found.after[pk]
        if before.arr_minor == after.arr_minor:
            continue
        rows.append(
            ChangeRow(
                name=people[pk],
                before=_times(before.ratio),
                after=_times(after.ratio),
                before_state=(STATES[before.state][0], str(STATES[before.state][1])),
                after_state=(STATES[after.state][0], str(STATES[after.state][1])),
                customers=plain.signed(after.customers - before.customers, 0),
            )
        )
    return rows
