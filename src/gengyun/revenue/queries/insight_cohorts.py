"""The customers of a cohort: ARR at the end of their first month, and at an age."""

from dataclasses import dataclass

import numpy as np

from gengyun.revenue.calc.cohort_groups import Cohort
from gengyun.revenue.calc.cohorts import last_day, month_number
from gengyun.revenue.calc.moves import I64, balances, day_of_number
from gengyun.revenue.queries.book import Book


@dataclass(frozen=True)
class Members:
    """Ids, the largest first; amounts in the base currency. `until`: day number of the age."""

    customers: I64
    start: I64
    end: I64
    until: int


def first_month(of: Book) -> int:
    """The month of the oldest movement: whoever paid before a shown cohort began before it."""
    return month_number(day_of_number(int(of.moves.day.min())))


def members(of: Book, cohort: Cohort, age: int, step: int) -> Members:
    """Those with their first ARR at the end of one of the cohort's months."""
    oldest = min(first_month(of), cohort.first)
    until = cohort.day_number(age, step)
    days = [last_day(month) for month in range(oldest - 1, cohort.last + 1)]
    if until > days[-1]:
        days.append(until)
    table = np.maximum(balances(of.moves, days), 0)
    has = table > 0
    begun = np.where(has.any(axis=1), has.argmax(axis=1), -1)
    own = cohort.first - (oldest - 1)  # the column of the cohort's first month
    at = np.flatnonzero((begun >= own) & (begun <= cohort.last - (oldest - 1)))
    start = table[at, begun[at]]
    order = np.lexsort((of.customers[at], -start))
    at = at[order]
    return Members(of.customers[at], start[order], table[at, -1], until)
