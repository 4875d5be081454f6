"""Cohort tables: customers by the month they began, and what is left of them at each age.

A month is a number (year x 12 + month - 1). Age 0 is the month of beginning. A cell that has not
come yet is None, which is not 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.moves import I64, Moves, added, balances, day_number
from gengyun.revenue.calc.policies import DEFAULT, Policy
from gengyun.revenue.calc.unit_economics import index_to_base

DEFINITION = (
    "Cohorts: customers by the month of their first ARR; each cell is what is left of them that "
    "many months later, divided by what there was in the first month."
)


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One cohort; `counts` and `amounts` by age, None where the month has not come yet."""

    month: int
    size: int
    counts: tuple[int | None, ...]
    amounts: tuple[int | None, ...]

    def count_shares(self, policy: Policy = DEFAULT) -> list[Figure]:
        return index_to_base(self.counts, _base(policy))

    def amount_shares(self, policy: Policy = DEFAULT) -> list[Figure]:
        return index_to_base(self.amounts, _base(policy))


def _base(policy: Policy) -> int:
    return 0 if policy.baseline == "first" else 1


def month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def month_name(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def last_day(month: int) -> int:
    """Day number of a month's last day."""
    following = month + 1
    return day_number(date(following // 12, following % 12 + 1, 1)) - 1


def cohorts_of_activity(
    who: I64, month: I64, amount: I64 | None = None, *, until: int | None = None
) -> list[CohortRow]:
    """From purchases or use: active in a month is who has a row in it.

    `amount` is summed; `until` is the last month that has been observed (default: the newest).
    """
    if not len(who):
        return []
    customers, at = np.unique(who, return_inverse=True)
    first = np.full(len(customers), np.iinfo(np.int64).max, np.int64)
    np.minimum.at(first, at, month)
    newest = int(month.max()) if until is None else until
    begin = int(first.min())
    width = newest - begin + 1
    seen = month <= newest
    age = month - first[at]
    # each customer once a month
    pairs = np.unique(at[seen] * width + age[seen])
    holder, held_age = pairs // width, pairs % width
    count = added(
        (first[holder] - begin) * width + held_age, np.ones(len(pairs), np.int64), width * width
    ).reshape(width, width)
    total = np.zeros_like(count)
    if amount is not None:
        cell = (first[at[seen]] - begin) * width + age[seen]
        total = added(cell, amount[seen], width * width).reshape(width, width)
    return _table(begin, count, total, newest)


def cohorts_of_spans(first: Sequence[int], last: Sequence[int], *, until: int) -> list[CohortRow]:
    """From the first and the last active month of each customer, both included."""
    who, month = [], []
    for number, (begin, end) in enumerate(zip(first, last, strict=True)):
        for active in range(begin, min(end, until) + 1):
            who.append(number)
            month.append(active)
    return cohorts_of_activity(np.array(who, np.int64), np.array(month, np.int64), until=until)


def cohorts_of_moves(moves: Moves, first_month: int, until: int) -> list[CohortRow]:
    """From the ledger: ARR at each month's end; a customer began in the month of its first ARR.

    Customers whose first ARR lies before `first_month` belong to no shown cohort.
    """
    months = list(range(first_month - 1, until + 1))
    table = np.maximum(balances(moves, [last_day(month) for month in months]), 0)
    has = table > 0
    begun = np.where(has.any(axis=1), has.argmax(axis=1), -1)  # column of the first month end
    width = len(months) - 1
    count, total = np.zeros((width, width), np.int64), np.zeros((width, width), np.int64)
    for cohort in range(width):
        rows = table[begun == cohort + 1]
        if len(rows):
            count[cohort, : width - cohort] = (rows[:, cohort + 1 :] > 0).sum(axis=0)
            total[cohort, : width - cohort] = rows[:, cohort + 1 :].sum(axis=0)
    return _table(first_month, count, total, until)


def _table(begin: int, count: I64, total: I64, until: int) -> list[CohortRow]:
    found = []
    for place in range(len(count)):
        size = int(count[place, 0])
        if not size:
            continue
        ages = until - (begin + place) + 1
        gap = (None,) * (len(count) - ages)
        found.append(
            CohortRow(
                month=begin + place,
                size=size,
                counts=tuple(int(value) for value in count[place, :ages]) + gap,
                amounts=tuple(int(value) for value in total[place, :ages]) + gap,
            )
        )
    return found


def by_month(rows: Sequence[CohortRow]) -> Mapping[str, CohortRow]:
    return {month_name(row.month): row for row in rows}
