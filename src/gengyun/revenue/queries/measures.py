"""The figures of revenue over the book of movements: retention, renewal rates, unit economics.

Each function takes a `Book` (whose movements are those an actor sees, as known on a day, in one
currency) and answers for many periods at once. The formulas are in `calc`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gengyun.revenue.calc import cohorts, retention
from gengyun.revenue.calc.ltv import MIN_CUSTOMERS, MIN_DATES, Fit, fit_sbg_spells
from gengyun.revenue.calc.moves import I64, Moves, balances, day_number, day_of_number
from gengyun.revenue.calc.policies import DEFAULT, Policy
from gengyun.revenue.calc.renewal_rates import UNSIGNED, RenewalRate, credit_days, renewal_rate
from gengyun.revenue.calc.retention import Retention
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.queries.book import Book, finer
from gengyun.revenue.queries.due_book import DueBook

ONE_DAY = timedelta(days=1)


# ---- book-based


def windows_of(spans: Sequence[Span], months: int | None = None) -> list[tuple[int, int]]:
    """Day numbers (open, close) of each span by itself, or of the `months` up to its end."""
    found = []
    for span in spans:
        close = day_number(span.end)
        opened = day_number(span.start) - 1
        if months is not None:
            opened = day_number(_months_before(span.end, months))
        found.append((opened, close))
    return found


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month; the last day of a month stays one."""
    after = day + ONE_DAY
    at = after.year * 12 + after.month - 1 - months
    first = date(at // 12, at % 12 + 1, 1)
    following = date((at + 1) // 12, (at + 1) % 12 + 1, 1)
    return first + timedelta(days=min(after.day, (following - first).days) - 1) - ONE_DAY


def retention_of(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy = DEFAULT
) -> list[Retention]:
    """NRR, GRR and customers of each window, at the policy's level and rates."""
    moves, more = _book_based(of, windows, policy)
    return retention.retention_series(moves, windows, policy, **more)


def retention_ends_of(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy = DEFAULT
) -> list[retention.Ends]:
    """What `retention_of` sums up, in the order of `of.customers`."""
    moves, more = _book_based(of, windows, policy)
    return retention.retention_ends(moves, windows, policy, **more)


def _book_based(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy
) -> tuple[Moves, dict[str, I64 | None]]:
    moves, more = of.moves, dict[str, I64 | None]()
    if policy.level != "customer":
        moves, more["customer_of"] = finer(of, policy.level)
    if policy.fx == "reported":
        days = sorted({day for window in windows for day in window})
        more["table"] = of.reported(days, moves)
    return moves, more


# ---- due-based


def renewal_rates(
    of: DueBook, spans: Sequence[Span], as_of: date, policy: Policy = DEFAULT
) -> list[RenewalRate]:
    """Of each span, as signed by the end of `as_of`."""
    rows = of.rows
    # only what is due in a span, or counts in it, is looked at again
    credit = credit_days(rows, policy)
    by_due, by_credit = np.argsort(rows.due_on), np.argsort(credit)
    due_on, counts_on = rows.due_on[by_due], credit[by_credit]
    found = []
    for span in spans:
        first, after = day_number(span.start), day_number(span.end) + 1
        due = by_due[slice(*np.searchsorted(due_on, (first, after)))]
        won = by_credit[slice(*np.searchsorted(counts_on, (first, after)))]
        elsewhere = (rows.due_on[won] < first) | (rows.due_on[won] >= after)
        part = rows.at(np.concatenate([due, won[elsewhere]]))
        found.append(renewal_rate(part, first, after, day_number(as_of), policy))
    return found


# ---- lifetimes


@dataclass(frozen=True)
class Spells:
    """How many customers' renewals were lost at their t-th due date, and how many passed t."""

    left: dict[int, int]
    staying: dict[int, int]

    @property
    def count(self) -> int:
        return sum(self.left.values()) + sum(self.staying.values())

    @property
    def dates(self) -> int:
        return max([*self.left, *self.staying], default=0)

    def fit(self) -> Fit | None:
        """None where there are too few customers or renewal dates, or nobody left or stayed."""
        if self.count < MIN_CUSTOMERS or self.dates < MIN_DATES:
            return None
        try:
            return fit_sbg_spells(self.left, {t: n for t, n in self.staying.items() if t})
        except ValueError:
            return None


def spells(of: DueBook, as_of: date) -> Spells:
    """Each customer's group is a life of its own: its due dates up to `as_of`, in order, until the
    first that was lost. What is open says nothing yet."""
    rows = of.rows
    until = day_number(as_of)
    decided = (rows.due_on <= until) & ((rows.signed != UNSIGNED) | (rows.lost_on != UNSIGNED))
    lives: dict[tuple[int, str], list[tuple[int, bool]]] = {}
    for at in np.flatnonzero(decided).tolist():
        key = (int(of.customer[at]), of.group[at])
        won = bool(rows.signed[at] != UNSIGNED)
        lives.setdefault(key, []).append((int(rows.due_on[at]), won))
    left: dict[int, int] = {}
    staying: dict[int, int] = {}
    for dates in lives.values():
        outcomes = [won for _, won in sorted(dates)]
        lost = next((at for at, won in enumerate(outcomes, 1) if not won), None)
        if lost is not None:
            left[lost] = left.get(lost, 0) + 1
        else:
            staying[len(outcomes)] = staying.get(len(outcomes), 0) + 1
    return Spells(left, staying)


# ---- others


def cohort_rows(of: Book, first: date, last: date) -> list[cohorts.CohortRow]:
    """By the month of the first ARR, with what is left of each at every month's end. Who began
    earlier and came back after `first` is in no cohort of the stretch."""
    begin, until = cohorts.month_number(first), cohorts.month_number(last)
    oldest = begin
    if len(of.moves):
        oldest = min(begin, cohorts.month_number(day_of_number(int(of.moves.day.min()))))
    found = cohorts.cohorts_of_moves(of.moves, oldest, until)
    return [row for row in found if row.month >= begin]


def arr_by_customer(of: Book, on: date) -> I64:
    """In the order of `of.customers`."""
    return balances(of.moves, [day_number(on)])[:, 0]
