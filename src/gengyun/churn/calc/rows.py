"""Rows to learn from and rows to score: whom, when, with which outcome (science.md 3.4, 4.2).

Learning rows stand 180, 90 and 30 days before each due date, so never among the last days, when
what a customer does follows from what it has decided. Rows to score stand on today's own lag.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from gengyun.churn.calc.observed import Dues
from gengyun.churn.calc.snapshot import Reader, Snapshot
from gengyun.churn.calc.table import Days, Floats, Ints, Table
from gengyun.churn.calc.target import (
    ACTIVE_WITHIN,
    GRACE,
    SILENT,
    day_number,
    days_of,
    is_undecided,
    outcomes,
    silence,
)
from gengyun.churn.calc.windows import NO_DAY, numbers

LANDMARKS = (180, 90, 30)


@dataclass(frozen=True)
class Rows:
    """A table with the snapshot it was made from; `row`: the place in Observed.dues, -1 none."""

    table: Table
    snapshot: Snapshot
    row: Ints
    renewal: Ints  # id, -1 none


def training_rows(
    reader: Reader,
    *,
    cutoff: date,
    grace: int = GRACE,
    landmarks: Sequence[int] = LANDMARKS,
    preventable_only: bool = True,
    since: date | None = None,
) -> Rows:
    """Decided renewals as known before `cutoff`, seen on each landmark; undecided ones are no rows.

    `since`: only renewals that came due from that day on.
    """
    dues = reader.observed.dues
    found = outcomes(dues, cutoff=cutoff, grace=grace, preventable_only=preventable_only)
    usable = ~np.isnan(found.y)
    if since is not None:
        usable &= numbers(dues.due) >= day_number(since)
    row, at = landmark_rows(reader, np.flatnonzero(usable), landmarks=landmarks)
    return _rows(reader, row, at, found.y[row], found.known[row])


def landmark_rows(
    reader: Reader, rows: Ints, *, landmarks: Sequence[int] = LANDMARKS
) -> tuple[Ints, Ints]:
    """(row of dues, day) for each landmark on which the outcome was open and the term running.

    A term that is shorter than every landmark is seen on its first day.
    """
    dues = reader.observed.dues
    due, starts = numbers(dues.due)[rows], numbers(dues.starts)[rows]
    known = numbers(dues.known)[rows]
    begin = np.maximum(np.where(starts == NO_DAY, due - 365, starts), known + 1)
    asked_row, asked_at = [], []
    short = due - begin < min(landmarks)
    for days in landmarks:
        at = due - days
        fits = (at >= begin) & ~short
        asked_row.append(rows[fits])
        asked_at.append(at[fits])
    months = short & (dues.period_months[rows] > 0)
    asked_row.append(rows[months])
    asked_at.append(begin[months])
    row, at = np.concatenate(asked_row), np.concatenate(asked_at)
    open_then = is_undecided(dues, at, row)
    order = np.lexsort([at[open_then], row[open_then]])
    return row[open_then][order], at[open_then][order]


def live_rows(reader: Reader, *, as_of: date, grace: int = GRACE) -> Rows:
    """Every renewal that is open as of a day: one row each, seen on that day."""
    dues = reader.observed.dues
    every = np.arange(len(dues))
    at = np.full(len(dues), day_number(as_of))
    row = every[is_undecided(dues, at, every, grace)] if len(dues) else every
    row = _one_month_each(dues, row)
    unknown = np.full(len(row), np.nan)
    return _rows(reader, row, at[: len(row)], unknown, days_of(np.full(len(row), NO_DAY)))


def _one_month_each(dues: Dues, row: Ints) -> Ints:
    """Of the months of one account that run on by themselves, the one that is worth most."""
    order = row[np.lexsort([row, -dues.amount_minor[row], dues.account[row]])]
    months = order[dues.renewal[order] < 0]
    _, first = np.unique(dues.account[months], return_index=True)
    return np.sort(np.concatenate([row[dues.renewal[row] >= 0], months[first]]))


def silent_rows(
    reader: Reader,
    *,
    at: Sequence[date],
    cutoff: date,
    days: int = SILENT,
    active_within: int = ACTIVE_WITHIN,
    only: Ints | None = None,
) -> Rows:
    """The substitute event: every account that was there in the last `active_within` days of each
    day of `at`, with whether it then fell silent for `days`. `only`: of these accounts."""
    observed = reader.observed
    asked_of = observed.accounts if only is None else only
    accounts = np.tile(asked_of, len(at))
    on = np.repeat([day_number(day) for day in at], len(asked_of)).astype(np.int64)
    there = reader.days_since(account=accounts, at=days_of(on)) < active_within
    accounts, on = accounts[there], on[there]
    y, known = silence(observed, account=accounts, at=on, cutoff=cutoff, days=days)
    kept = reader.snapshot(account=accounts, at=days_of(on))
    row = np.full(len(on), -1)
    table = _table(kept, y, known, days_of(on + days), np.zeros(len(on), np.int64))
    return Rows(table, kept, row, row)


def firsts_of_months(first: date, last: date, *, every: int = 1) -> list[date]:
    """The first days of the months in [first, last]; `every` 3: of the quarters.

    Silence is learned from every month: a quarter a row is too few to tell a pause from the end.
    """
    found = []
    for number in range(first.year * 12, last.year * 12 + 12, every):
        day = date(number // 12, number % 12 + 1, 1)
        if first <= day <= last:
            found.append(day)
    return found


def quarters(first: date, last: date) -> list[date]:
    """The first days of the calendar quarters in [first, last]."""
    return firsts_of_months(first, last, every=3)


def _rows(reader: Reader, row: Ints, at: Ints, y: Floats, known: Days) -> Rows:
    dues = reader.observed.dues
    seen = reader.snapshot(account=dues.account[row], at=days_of(at), row=row)
    table = _table(seen, y, known, dues.due[row], dues.amount_minor[row])
    return Rows(table, seen, row, dues.renewal[row])


def _table(seen: Snapshot, y: Floats, known: Days, due: Days, amount: Ints) -> Table:
    at = seen.asked.at
    return Table(
        features=seen.features,
        x=seen.x,
        y=y,
        account=seen.asked.account,
        at=days_of(at),
        due=due,
        known=known,
        tier=seen.tier,
        lag=numbers(due) - at,
        amount_minor=amount,
    )
