"""Movements of a unit that count as one, with the ARR before and after them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gengyun.revenue.calc.moves import I64, Bools, Moves, added, in_order


@dataclass(frozen=True, slots=True)
class Events:
    """One row per event, by unit and day. `left_on`: when the unit's ARR last ended before it."""

    NEVER: ClassVar[int] = -(2**40)

    unit: I64
    day: I64
    amount: I64
    before: I64
    after: I64
    left_on: I64


def events_of(moves: Moves, *, grouping_days: int = 1, ends: I64 | None = None) -> Events:
    """`grouping_days` 0: every movement is an event; 1: those of one day are one; n: those within
    n days of the first of them are one. Source: the activity grouping of subscription analytics.

    `ends`: last days of periods. No event reaches over one, or the period would not add up.
    """
    rows = in_order(moves)
    if not len(rows):
        empty = np.zeros(0, np.int64)
        return Events(empty, empty, empty, empty, empty, empty)
    first = _first_of_group(rows, grouping_days)
    if ends is not None and grouping_days > 1:
        period = np.searchsorted(ends, rows.day)
        first[1:] |= np.diff(period) != 0
    group = np.cumsum(first) - 1
    amount = added(group, rows.amount, int(group[-1]) + 1)
    unit, day = rows.unit[first], rows.day[first]
    after = _running(unit, amount)
    before = after - amount
    return Events(unit, day, amount, before, after, _left_on(unit, day, before, after))


def _first_of_group(rows: Moves, days: int) -> Bools:
    new_unit = np.ones(len(rows), bool)
    new_unit[1:] = np.diff(rows.unit) != 0
    if days <= 0:
        return np.ones(len(rows), bool)
    first = new_unit.copy()
    if days == 1:
        first[1:] |= np.diff(rows.day) != 0
        return first
    # a group begins with the first movement that is too far from the beginning of the one before
    begin = rows.day[0]
    for at in range(1, len(rows)):
        if new_unit[at]:
            begin = rows.day[at]
        elif rows.day[at] - begin >= days:
            first[at] = True
            begin = rows.day[at]
    return first


def _running(unit: I64, amount: I64) -> I64:
    """Sum so far within each unit; rows are ordered by unit."""
    total = np.cumsum(amount)
    starts = np.ones(len(unit), bool)
    starts[1:] = np.diff(unit) != 0
    at = np.nonzero(starts)[0]
    offset = total[at] - amount[at]
    found: I64 = total - offset[np.cumsum(starts) - 1]
    return found


def _left_on(unit: I64, day: I64, before: I64, after: I64) -> I64:
    """For each row the day of the newest earlier row of the unit that ended its ARR."""
    ends = (before > 0) & (after <= 0)
    mark = np.where(ends, np.arange(len(unit)), -1)
    newest = np.maximum.accumulate(mark)
    earlier = np.concatenate([[-1], newest[:-1]])
    known = earlier >= 0
    known[known] = unit[earlier[known]] == unit[known]
    return np.where(known, day[np.maximum(earlier, 0)], Events.NEVER)
