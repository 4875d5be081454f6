"""From which churn probability on there is an alert: the lowest mark that the budget can bear.

science.md 5.3: per tier, so that no more alerts are expected than a CSM can take up (3 new ones a
week) and than 4 per 100 customers of the tier and month. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gengyun.alerts.calc.churn_rules import has_jumped
from gengyun.alerts.calc.found import Floats, Ints

GRID = tuple(round(0.05 + 0.01 * step, 2) for step in range(91))  # 5 % to 95 %
WEEKS_A_MONTH = 365.25 / 12 / 7
FEWEST_WEEKS = 9  # two months of weekly forecasts: less says nothing of a month
MONTHS_AHEAD = 6.0  # renewals are looked at from 180 days before they are due


@dataclass(frozen=True)
class Budget:
    weekly: float = 3.0  # new alerts per CSM and week
    monthly_per_hundred: float = 4.0  # new alerts per 100 customers and month


@dataclass(frozen=True)
class Terms:
    """As the rule has it: what opens and closes beside the mark itself."""

    jump: float = 0.7
    least: float = 0.1
    exit_share: float = 0.8
    weeks_back: int = 4  # weekly columns that make the rule's 30 days


@dataclass(frozen=True)
class Book:
    """The customers of one tier: their probability week by week, oldest first, the last is now.

    nan where a week is unknown or the event was too far away to be looked at.
    """

    p: Floats
    floor: float  # no mark below it: the tier's own base rate
    owner: Ints  # -1: nobody's


@dataclass(frozen=True)
class Mark:
    value: float
    monthly: float  # expected new alerts a month
    customers: int
    basis: str  # history, stock, floor


def openings(p: Floats, at: float, terms: Terms) -> int:
    """How many alerts would have opened after the first week: the rule's own steps, by week."""
    is_open = np.zeros(len(p), dtype=np.bool_)
    count = 0
    for week in range(p.shape[1]):
        now = p[:, week]
        before = p[:, max(0, week - terms.weeks_back)]
        with np.errstate(invalid="ignore"):
            enters = (now >= at) | has_jumped(now, before, jump=terms.jump, least=terms.least)
            leaves = now < terms.exit_share * at
        opens = enters & ~is_open
        if week:  # what stood above it from the beginning is not what a month brings
            count += int(opens.sum())
        is_open = (is_open & ~(leaves & ~enters)) | opens
    return count


def expected_monthly(book: Book, at: float, terms: Terms) -> float:
    """New alerts a month at the mark `at`: those of the weeks behind us, and no fewer than a sixth
    of who stands above it today, because each of them comes up in the half year in which a renewal
    is looked at. With too few weeks the latter alone.
    """
    weeks = book.p.shape[1]
    if not weeks:
        return 0.0
    with np.errstate(invalid="ignore"):
        standing = int((book.p[:, -1] >= at).sum()) / MONTHS_AHEAD
    if weeks < FEWEST_WEEKS:
        return float(standing)
    crossing = openings(book.p, at, terms) / (weeks - 1) * WEEKS_A_MONTH
    return float(max(standing, crossing))


def marks(
    books: Mapping[int, Book], *, budget: Budget | None = None, terms: Terms | None = None
) -> dict[int, Mark]:
    """Tier -> its mark: the lowest of the grid within the month's budget of the tier, then all of
    them raised together until a CSM's week is not too full. Tiers nobody is known of are left out.
    """
    budget, terms = budget or Budget(), terms or Terms()
    known = {tier: _known(book) for tier, book in books.items()}
    known = {tier: book for tier, book in known.items() if len(book.p)}
    found = {tier: _lowest(book, budget, terms) for tier, book in known.items()}
    people = {int(pk) for book in known.values() for pk in np.unique(book.owner) if pk >= 0}
    most = budget.weekly * WEEKS_A_MONTH * max(1, len(people))
    while sum(mark.monthly for mark in found.values()) > most:
        raised = {
            tier: _raised(known[tier], mark, terms)
            for tier, mark in found.items()
            if mark.monthly > 0 and mark.value < GRID[-1]
        }
        if not raised:
            break
        found |= raised
    return found


def _known(book: Book) -> Book:
    rows = np.isfinite(book.p).any(axis=1)
    return replace(book, p=book.p[rows], owner=book.owner[rows])


def _lowest(book: Book, budget: Budget, terms: Terms) -> Mark:
    """From the top down while the budget bears it: far below, everybody stands above the mark and
    nobody crosses it, which is no reason to put it there."""
    most = budget.monthly_per_hundred * len(book.p) / 100
    places: Sequence[float] = [at for at in GRID if at >= book.floor] or [GRID[-1]]
    found = Mark(places[-1], expected_monthly(book, places[-1], terms), len(book.p), _basis(book))
    for at in reversed(places[:-1]):
        monthly = expected_monthly(book, at, terms)
        if monthly > most:
            return found
        found = Mark(at, monthly, len(book.p), _basis(book))
    return replace(found, basis="floor")


def _basis(book: Book) -> str:
    return "history" if book.p.shape[1] >= FEWEST_WEEKS else "stock"


def _raised(book: Book, mark: Mark, terms: Terms) -> Mark:
    at = GRID[min(len(GRID) - 1, GRID.index(mark.value) + 1)]
    return Mark(at, expected_monthly(book, at, terms), len(book.p), _basis(book))


def expected_loss(p: npt.ArrayLike, amount_minor: npt.ArrayLike) -> Floats:
    """Probability times amount: what alerts are ranked by. How much of it can be saved is not
    measured, so it counts as 1 for everybody (science.md 5.3)."""
    return np.asarray(p, dtype=np.float64) * np.asarray(amount_minor, dtype=np.float64)
