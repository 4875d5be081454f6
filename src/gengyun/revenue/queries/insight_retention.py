"""What lies behind the figures of retention: customers of the start, renewals that came due."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gengyun.revenue.calc.moves import I64, Bools, day_number
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.calc.renewal_rates import UNSIGNED, counted_in
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.queries.book import Book
from gengyun.revenue.queries.due_book import DueBook
from gengyun.revenue.queries.measures import retention_ends_of

BOOK_COLUMNS = ("start", "churned", "contracted", "expanded", "end", "customers", "left")
DUE_COLUMNS = ("due", "renewed", "capped", "open", "lost")


@dataclass(frozen=True)
class Kept:
    """Customers (ids) of one window behind one column, the largest amount first: `amount` adds up
    to the column; `start`, `kept` and `end` say why."""

    customers: I64
    amount: I64
    start: I64
    kept: I64
    end: I64
    rows: Bools  # movements of the book inside the window


def kept_cell(of: Book, window: tuple[int, int], policy: Policy, column: str) -> Kept:
    ends = retention_ends_of(of, [window], policy)[0]
    size = len(ends.start)
    customers = of.customers[:size]
    counted = ends.start > 0
    if policy.cohort == "survivors":
        counted &= ends.end > 0
    start, end = np.where(counted, ends.start, 0), np.where(counted, ends.end, 0)
    kept = np.where(counted, ends.kept, 0)
    stays = end > 0
    amount = {
        "start": start,
        "end": end,
        "churned": np.where(stays, 0, -start),
        "contracted": np.where(stays, kept - start, 0),
        "expanded": np.where(stays, end - kept, 0),
        "customers": start,
        "left": np.where(stays, 0, -start),
    }[column]
    at = np.flatnonzero(amount)
    at = at[np.lexsort((customers[at], -np.abs(amount[at])))]
    inside = (of.moves.day > window[0]) & (of.moves.day <= window[1])
    return Kept(customers[at], amount[at], start[at], kept[at], end[at], inside)


@dataclass(frozen=True)
class DueCell:
    """Places in the due book, by due day, behind one column of one period."""

    places: I64
    amount: I64


def due_cell(
    of: DueBook, spans: Sequence[Span], as_of: int, policy: Policy, column: str
) -> DueCell:
    """`spans`: one period, or several that are summed up."""
    rows = of.rows
    first, after = day_number(spans[0].start), day_number(spans[-1].end) + 1
    due, won = counted_in(rows, first, after, as_of, policy)
    answered = (rows.signed != UNSIGNED) & (rows.signed <= as_of)
    lost = due & ~answered & (rows.lost_on != UNSIGNED) & (rows.lost_on <= as_of)
    wanted, amount = {
        "due": (due, rows.due),
        "renewed": (won, rows.renewed),
        "capped": (won, np.minimum(rows.renewed, rows.due)),
        "open": (due & ~answered & ~lost, rows.due),
        "lost": (lost, rows.due),
    }[column]
    at = np.flatnonzero(wanted)
    at = at[np.lexsort((at, -amount[at], rows.due_on[at]))]
    return DueCell(at, amount[at])
