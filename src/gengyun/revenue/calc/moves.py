"""Movements as columns, and what they add up to: the balance of every unit on any days.

A unit is whatever is counted: a customer, a customer's product, a line. A balance on a day is the
sum of the movements effective on or before it. Amounts are whole minor units; sums stay exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
I8 = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
EPOCH = date(1970, 1, 1)
# float64 adds whole numbers exactly up to here; bincount adds in float64
EXACT_LIMIT = 2**53

KINDS = (
    "new",
    "renew",
    "upsell",
    "cross_sell",
    "price_change",
    "downsell",
    "pause",
    "resume",
    "churn",
    "win_back",
    "correction",
    # not recorded but found by comparing balances
    "expansion",
    "contraction",
    # pairs that add up to nothing: what passes from a line to the line that follows it
    "transfer",
)
KIND_CODE = {name: code for code, name in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Moves:
    """One row per movement. `unit` counts from 0; `day` is days since 1970-01-01.

    `kind`: position in KINDS. Rows may come in any order; results do not depend on it.
    """

    unit: I64
    day: I64
    amount: I64
    kind: I8
    units: int  # how many units there are, with those that have no rows

    def __len__(self) -> int:
        return len(self.unit)

    def only(self, rows: Bools) -> "Moves":
        return Moves(
            self.unit[rows], self.day[rows], self.amount[rows], self.kind[rows], self.units
        )


def day_number(day: date) -> int:
    return (day - EPOCH).days


def day_of_number(number: int) -> date:
    return date.fromordinal(EPOCH.toordinal() + number)


def moves_of(rows: Sequence[tuple[int, date, int, str]], units: int | None = None) -> Moves:
    """From (unit, effective on, signed amount, kind)."""
    unit = np.array([row[0] for row in rows], np.int64)
    return Moves(
        unit=unit,
        day=np.array([day_number(row[1]) for row in rows], np.int64),
        amount=np.array([row[2] for row in rows], np.int64),
        kind=np.array([KIND_CODE[row[3]] for row in rows], np.int8),
        units=units if units is not None else int(unit.max(initial=-1)) + 1,
    )


def moves_of_periods(
    rows: Sequence[tuple[int, date, date | None, int]], units: int | None = None
) -> Moves:
    """From a ledger of (unit, start, end exclusive or None, amount): up at the start, down at
    the end. The kinds are unknown (`expansion` and `contraction`): classify by events or snapshot.
    """
    found: list[tuple[int, date, int, str]] = []
    for unit, start, end, amount in rows:
        if end is not None and end <= start:
            continue  # never in force on any day
        found.append((unit, start, amount, "expansion"))
        if end is not None:
            found.append((unit, end, -amount, "contraction"))
    if units is None:
        units = max((row[0] for row in rows), default=-1) + 1
    return moves_of(found, units)


def balances(moves: Moves, days: Sequence[int] | I64) -> I64:
    """ARR of every unit (rows) on each of the rising `days` (columns)."""
    ends = np.asarray(days, np.int64)
    width = len(ends)
    if len(ends) > 1 and bool((np.diff(ends) <= 0).any()):
        raise ValueError("days must rise")
    # the first day that is not before the movement; later movements fall off the end
    column = first_not_before(moves.day, ends)
    kept = column < width
    cell = moves.unit[kept] * width + column[kept]
    table = added(cell, moves.amount[kept], moves.units * width).reshape(moves.units, width)
    np.cumsum(table, axis=1, out=table)
    return table


def first_not_before(day: I64, ends: I64) -> I64:
    """For each day the place of the first of the rising `ends` that is not before it."""
    if not len(day):
        return np.zeros(0, np.int64)
    least, most = int(day.min()), int(day.max())
    if most - least > len(day):
        return np.searchsorted(ends, day, side="left")
    # days repeat: each is looked up once
    table = np.searchsorted(ends, np.arange(least, most + 1), side="left")
    found: I64 = table[day - least]
    return found


def added(cell: I64, amount: I64, size: int) -> I64:
    """Sum of the amounts of each cell, exactly."""
    if len(amount) and int(np.abs(amount).max()) * len(amount) < EXACT_LIMIT:
        return np.bincount(cell, weights=amount, minlength=size).astype(np.int64)
    if len(amount) and float(np.abs(amount.astype(np.float64)).sum()) < EXACT_LIMIT:
        return np.bincount(cell, weights=amount, minlength=size).astype(np.int64)
    table = np.zeros(size, np.int64)
    np.add.at(table, cell, amount)
    return table


def in_order(moves: Moves) -> Moves:
    """By unit, then day, gains before losses, so that the order of the rows says nothing."""
    key = moves.unit * 1_000_000 + (moves.day + 500_000)
    steps = np.diff(key)
    if bool((steps > 0).all()):
        return moves
    order = np.lexsort((moves.kind, -moves.amount, key))
    return Moves(
        moves.unit[order], moves.day[order], moves.amount[order], moves.kind[order], moves.units
    )
