"""The ARR waterfall: what was there, what came, what went, what is there.

Every cell is a sum of rows, and every row names its unit, so a cell opens down to what is behind
it. Periods lie between two neighbouring days of `ends`: movements after the first day, up to and
including the second. The last day of a month as boundary gives calendar months.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gengyun.revenue.calc.events import Events, events_of
from gengyun.revenue.calc.moves import (
    I8,
    I64,
    KIND_CODE,
    KINDS,
    Moves,
    added,
    balances,
    first_not_before,
)
from gengyun.revenue.calc.policies import ANY_GAP, DEFAULT, Policy

DEFINITION = (
    "ARR at the start of the period, plus and minus the movements effective in it, "
    "gives ARR at its end; every figure is the sum of its movements."
)
# the columns people know; a kind that can be either goes by its sign
COLUMNS = (
    "new",
    "win_back",
    "expansion",
    "contraction",
    "pause",
    "resume",
    "churn",
    "correction",
    "transfer",  # only between units smaller than a customer; nothing over all of them
)


@dataclass(frozen=True, slots=True)
class Rows:
    """What lies behind the cells: one row per movement, or per customer and period."""

    period: I64
    unit: I64
    kind: I8
    amount: I64


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Amounts in minor units; each tuple has one item per period."""

    opening: tuple[int, ...]
    closing: tuple[int, ...]
    kinds: Mapping[str, tuple[int, ...]]  # as recorded or found
    columns: Mapping[str, tuple[int, ...]]  # summed up to COLUMNS
    fx: tuple[int, ...]
    customers: tuple[int, ...]  # units with ARR at the end of each period

    def remainder(self) -> tuple[int, ...]:
        """What does not add up; 0 in every period, by construction and by test."""
        moved = [sum(found) for found in zip(*self.kinds.values(), strict=True)]
        return tuple(
            end - start - step - fx
            for start, step, fx, end in zip(self.opening, moved, self.fx, self.closing, strict=True)
        )


def waterfall(
    moves: Moves, ends: Sequence[int], policy: Policy = DEFAULT, *, reported: I64 | None = None
) -> Waterfall:
    """One period per step of `ends`. Source: ChartMogul and ProfitWell definitions of movements.

    `reported`: balances per unit and day of `ends` at the rates of those days; what they differ
    from the sum of the movements is the exchange effect. Without it there is none.
    """
    table = balances(moves, ends)
    return _summed(rows_of(moves, ends, policy, table), table, reported)


def rows_of(
    moves: Moves, ends: Sequence[int], policy: Policy = DEFAULT, table: I64 | None = None
) -> Rows:
    """The rows behind the waterfall, under the policy's basis."""
    if policy.basis == "snapshot":
        return _by_snapshot(moves, ends, policy, balances(moves, ends) if table is None else table)
    days = np.asarray(ends, np.int64)
    if policy.basis == "recorded":
        unit, day, amount, kind = moves.unit, moves.day, moves.amount, moves.kind
    else:
        held = moves if policy.grouping_days else _without_transfers(moves)
        events = events_of(held, grouping_days=policy.grouping_days, ends=days)
        unit, day, amount = events.unit, events.day, events.amount
        kind = kinds_of(events, win_back_days=policy.win_back_days)
    period = first_not_before(day, days) - 1
    inside = (period >= 0) & (period < len(days) - 1) & (amount != 0)
    if policy.same_period == "ignore":
        table = balances(moves, ends) if table is None else table
        seen = np.clip(period, 0, len(days) - 2)
        inside &= (table[unit, seen] != 0) | (table[unit, seen + 1] != 0)
    found = Rows(period[inside], unit[inside], kind[inside], amount[inside])
    return _netted(found, len(days) - 1, moves.units)


def _without_transfers(moves: Moves) -> Moves:
    """Where every movement is an event of its own, what passes from a line to its successor would
    be a loss and a gain: the transfers of a unit and a day are one movement, mostly of nothing."""
    passed = moves.kind == KIND_CODE["transfer"]
    if not bool(passed.any()):
        return moves
    key = moves.unit * 1_000_000 + moves.day + 500_000
    keys, place = np.unique(key[passed], return_inverse=True)
    over = added(place.astype(np.int64), moves.amount[passed], len(keys))
    left, rest = np.flatnonzero(over), ~passed
    return Moves(
        np.concatenate([moves.unit[rest], keys[left] // 1_000_000]),
        np.concatenate([moves.day[rest], keys[left] % 1_000_000 - 500_000]),
        np.concatenate([moves.amount[rest], over[left]]),
        np.concatenate([moves.kind[rest], np.full(len(left), KIND_CODE["transfer"], np.int8)]),
        moves.units,
    )


def _netted(rows: Rows, periods: int, units: int) -> Rows:
    """Without the transfers that stay inside a unit: a line follows a line on one day."""
    passed = rows.kind == KIND_CODE["transfer"]
    if not bool(passed.any()):
        return rows
    cell = rows.unit[passed] * periods + rows.period[passed]
    over = added(cell, rows.amount[passed], units * periods)
    left, rest = np.flatnonzero(over), ~passed
    return Rows(
        np.concatenate([rows.period[rest], left % periods]),
        np.concatenate([rows.unit[rest], left // periods]),
        np.concatenate([rows.kind[rest], np.full(len(left), KIND_CODE["transfer"], np.int8)]),
        np.concatenate([rows.amount[rest], over[left]]),
    )


def kinds_of(events: Events, *, win_back_days: int = ANY_GAP) -> I8:
    """From 0 up: new, or won back when there was something before and the gap is short enough.

    Down to 0: churn. Else expansion or contraction by the sign. Source: ChartMogul, MRR movements.
    """
    kind = np.where(events.amount > 0, KIND_CODE["expansion"], KIND_CODE["contraction"]).astype(
        np.int8
    )
    starts = (events.before <= 0) & (events.after > 0)
    kind[starts] = KIND_CODE["new"]
    back = starts & (events.left_on > events.NEVER)
    if win_back_days != ANY_GAP:
        back &= events.day - events.left_on <= win_back_days
    kind[back] = KIND_CODE["win_back"]
    kind[(events.before > 0) & (events.after <= 0)] = KIND_CODE["churn"]
    return kind


def _by_snapshot(moves: Moves, ends: Sequence[int], policy: Policy, table: I64) -> Rows:
    """Differences between two ends; what came and went in between is not seen."""
    unit, step = np.nonzero(np.diff(table, axis=1))
    before, after = table[unit, step], table[unit, step + 1]
    events = events_of(moves, grouping_days=1)
    days = np.asarray(ends, np.int64)
    # the events that started a run of ARR, and when the run before it ended
    begins = (events.before <= 0) & (events.after > 0)
    began = Events(
        events.unit[begins],
        events.day[begins],
        events.amount[begins],
        events.before[begins],
        events.after[begins],
        events.left_on[begins],
    )
    kind = np.where(after > before, KIND_CODE["expansion"], KIND_CODE["contraction"]).astype(
        np.int8
    )
    kind[(before > 0) & (after <= 0)] = KIND_CODE["churn"]
    starts = (before <= 0) & (after > 0)
    # the first start after the beginning of the period says how the unit came back into it
    key = began.unit * 1_000_000 + began.day + 500_000
    wanted = unit[starts] * 1_000_000 + days[step[starts]] + 500_000
    at = np.searchsorted(key, wanted, side="right")
    kind[starts] = kinds_of(began, win_back_days=policy.win_back_days)[at]
    return Rows(step.astype(np.int64), unit.astype(np.int64), kind, after - before)


def _summed(rows: Rows, table: I64, reported: I64 | None) -> Waterfall:
    periods = table.shape[1] - 1
    cells = added(
        rows.kind.astype(np.int64) * periods + rows.period, rows.amount, len(KINDS) * periods
    ).reshape(len(KINDS), periods)
    shown = table if reported is None else reported
    totals = shown.sum(axis=0)
    fx = np.diff(totals) - np.diff(table.sum(axis=0))
    kinds = {name: _whole(cells[code]) for name, code in KIND_CODE.items()}
    return Waterfall(
        opening=_whole(totals[:-1]),
        closing=_whole(totals[1:]),
        kinds=kinds,
        columns=_columns(rows, periods),
        fx=_whole(fx),
        customers=_whole((shown[:, 1:] > 0).sum(axis=0)),
    )


def column_of(rows: Rows) -> I8:
    """Position in COLUMNS of every row: renewals and price changes go by their sign."""
    place = {name: number for number, name in enumerate(COLUMNS)}
    gain = np.array([place.get(name, place["expansion"]) for name in KINDS], np.int8)
    loss = np.array([place.get(name, place["contraction"]) for name in KINDS], np.int8)
    found: I8 = np.where(rows.amount > 0, gain[rows.kind], loss[rows.kind])
    return found


def _columns(rows: Rows, periods: int) -> dict[str, tuple[int, ...]]:
    place = column_of(rows).astype(np.int64) * periods + rows.period
    cells = added(place, rows.amount, len(COLUMNS) * periods).reshape(len(COLUMNS), periods)
    return {name: _whole(cells[number]) for number, name in enumerate(COLUMNS)}


def _whole(values: I64) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
