"""Expected renewals with P10, P50 and P90, by simulation (science.md 6).

A draw decides every open renewal at once: rates are drawn from what is believed of them, each
quarter gets one effect that all its renewals share, each renewal comes out or not, and those that
do change their amount as renewals of the same cell have done. Sums over the draws give the
intervals. A renewal that is decided counts with what it came to, in every draw. Expected amounts
are rounded renewal by renewal, so that those of months add up to those of quarters.

The same book and odds give the same figures, in whatever order the rows come: they are put in order
of `key`, and the random numbers start from a fixed seed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gengyun.revenue.calc.renewal_odds import (
    SPREADS,
    Days,
    Flags,
    Floats,
    Ints,
    Odds,
    logit,
    quarter_of,
)

DRAWS = 3_000
LARGEST = 5
QUANTILES = (0.025, 0.10, 0.50, 0.90, 0.975)
BLOCK = 256  # renewals drawn at once: the arrays of a block stay in the cache
# (16 sqrt 3 / 15 pi)^2: a logit with normal noise of variance v is as flat as one divided by
# sqrt(1 + c v); stretched by it, the mean over the noise is the rate that was meant
FLATTENING = (16 * np.sqrt(3) / (15 * np.pi)) ** 2

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Book:
    """Renewals that come due in a period, as known on the day of the forecast; one currency."""

    key: Ints  # unique
    cell: Ints  # row of `Odds.rates`
    due_on: Days
    due_minor: Ints
    settled_minor: Floats  # what a decided one came to; nan: open
    probability: Floats  # of renewing, from a model that knows what is open; nan: the cell's rate

    def __len__(self) -> int:
        return len(self.key)

    def ordered(self, order: Ints) -> "Book":
        return Book(
            self.key[order],
            self.cell[order],
            self.due_on[order],
            self.due_minor[order],
            self.settled_minor[order],
            self.probability[order],
        )


@dataclass(frozen=True)
class Sums:
    """One group of renewals. Amounts in minor units; quantiles as in QUANTILES."""

    count: int
    open_count: int
    due_minor: int
    settled_minor: int  # of those decided
    expected_minor: int
    quantile_minor: tuple[int, ...]

    @property
    def p10_minor(self) -> int:
        return self.quantile_minor[1]

    @property
    def p50_minor(self) -> int:
        return self.quantile_minor[2]

    @property
    def p90_minor(self) -> int:
        return self.quantile_minor[3]


@dataclass(frozen=True)
class Forecast:
    total: Sums
    without_largest: Sums
    largest: Ints  # keys of the largest by the amount that comes due
    groups: dict[str, dict[int, Sums]]  # dimension -> code -> sums
    expected_minor: dict[int, int]  # of each renewal
    from_model: int  # open renewals with a probability of their own


def forecast(
    book: Book,
    odds: Odds,
    *,
    as_of: np.datetime64,
    groups: Mapping[str, Ints] | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> Forecast:
    """Simulate a book. `groups`: dimension -> a code for each row of the book."""
    order = np.argsort(book.key, kind="stable")
    mine = book.ordered(order)
    largest = largest_rows(mine)
    dimensions = {name: codes[order] for name, codes in (groups or {}).items()}
    rows = {
        "": np.zeros(len(mine), dtype=np.int64),
        "without": np.where(largest, -1, 0),
        **dimensions,
    }
    is_open = np.isnan(mine.settled_minor)
    members = {name: _Members(codes, is_open) for name, codes in rows.items()}
    drawn = {name: np.zeros((len(found.codes), draws)) for name, found in members.items()}
    means = np.zeros(len(mine))
    at = np.flatnonzero(is_open)
    for block, amounts in _drawn(mine, odds, at, as_of=as_of, draws=draws, seed=seed):
        means[at[block]] = amounts.mean(axis=1, dtype=np.float64)
        for name, found in members.items():
            codes, share = found.of(block)
            drawn[name][codes] += share @ amounts
    made = {name: _sums(mine, found, drawn[name], means) for name, found in members.items()}
    nothing = Sums(0, 0, 0, 0, 0, (0,) * len(QUANTILES))
    return Forecast(
        total=made[""].get(0, nothing),
        without_largest=made["without"].get(0, nothing),
        largest=mine.key[largest],
        groups={name: made[name] for name in dimensions},
        expected_minor=dict(zip(mine.key.tolist(), _expected(mine, means).tolist(), strict=True)),
        from_model=int((is_open & ~np.isnan(mine.probability)).sum()),
    )


def largest_rows(book: Book, count: int = LARGEST) -> Flags:
    """The largest by the amount that comes due; of equal ones the first key."""
    found = np.zeros(len(book), dtype=np.bool_)
    found[np.lexsort((book.key, -book.due_minor))[:count]] = True
    return found


def open_logit(book: Book, odds: Odds, at: Ints, as_of: np.datetime64) -> Floats:
    """What being open so long adds to the logit; a model's probability knows it already."""
    days = (as_of - book.due_on[at]).astype(np.int64)
    return np.where(np.isnan(book.probability[at]), odds.delays.offset(days), 0.0)


class _Members:
    """Which rows belong to which code of a dimension; -1 belongs nowhere."""

    def __init__(self, codes: Ints, is_open: Flags) -> None:
        found, place = np.unique(codes, return_inverse=True)
        first = int(np.searchsorted(found, 0))
        self.codes = found[first:]
        self.place = place - first
        self.open_place = self.place[is_open]

    def of(self, block: slice) -> tuple[Ints, Singles]:
        """The codes met among open rows of a block, and [code, row] 1 where a row belongs."""
        place = self.open_place[block]
        met = np.unique(place[place >= 0])
        return met, (met[:, None] == place[None, :]).astype(np.float32)


def _drawn(
    book: Book, odds: Odds, at: Ints, *, as_of: np.datetime64, draws: int, seed: int
) -> Iterator[tuple[slice, Singles]]:
    """Blocks of open renewals with what each comes to in each draw."""
    rng = np.random.default_rng(seed)
    spread = SPREADS[rng.choice(len(SPREADS), draws, p=odds.spread_weight)]
    stretch = np.sqrt(1 + FLATTENING * spread**2).astype(np.float32)
    cell_logit = np.array(
        [logit(rng.beta(rate.alpha, rate.beta, draws)) for rate in odds.rates]
    ).astype(np.float32)
    quarters, quarter = np.unique(quarter_of(book.due_on[at]), return_inverse=True)
    effect = (rng.normal(size=(len(quarters), draws)) * spread).astype(np.float32)
    own = logit(book.probability[at]).astype(np.float32)
    has_own = ~np.isnan(own)
    offset = open_logit(book, odds, at, as_of).astype(np.float32)
    table = odds.ratios.astype(np.float32)
    cell, due = book.cell[at], book.due_minor[at].astype(np.float32)
    for start in range(0, len(at), BLOCK):
        block = slice(start, min(start + BLOCK, len(at)))
        eta = cell_logit[cell[block]]
        if has_own[block].any():
            eta[has_own[block]] = own[block][has_own[block], None]
        eta += offset[block, None]
        eta *= stretch
        eta += effect[quarter[block]]
        np.negative(eta, out=eta)
        np.exp(eta, out=eta)
        eta += 1
        # chance below p is a renewal; chance * (1/p) is then even on [0, 1) and picks the ratio
        chance = rng.random(eta.shape, dtype=np.float32)
        chance *= eta
        amounts = _ratio(table, cell[block], chance)
        amounts *= due[block, None]
        yield block, amounts


def _ratio(table: Singles, cell: Ints, chance: Singles) -> Singles:
    """New amount over old: 0 where chance says lost, else the cell's quantile at `chance`."""
    steps = table.shape[1]
    padded = np.concatenate([table, np.zeros((len(table), 1), np.float32)], axis=1).ravel()
    np.multiply(chance, np.float32(steps), out=chance)
    np.minimum(chance, np.float32(steps), out=chance)
    place = chance.astype(np.int32)
    place += (cell * (steps + 1)).astype(np.int32)[:, None]
    return padded.take(place)


def _expected(book: Book, means: Floats) -> Ints:
    """Whole minor units: the mean over the draws, or what a decided one came to."""
    settled = np.isfinite(book.settled_minor)
    return np.round(np.where(settled, book.settled_minor, means)).astype(np.int64)


def _sums(book: Book, members: _Members, drawn: Floats, means: Floats) -> dict[int, Sums]:
    size = len(members.codes)
    belongs = members.place >= 0
    place = members.place[belongs]
    is_open = np.isnan(book.settled_minor)
    settled = np.where(is_open, 0, np.nan_to_num(book.settled_minor)).astype(np.int64)
    of_group = [
        _whole(place, rows[belongs], size)
        for rows in (
            np.ones(len(book), dtype=np.int64),
            is_open.astype(np.int64),
            book.due_minor,
            settled,
            _expected(book, means),
        )
    ]
    levels = np.quantile(drawn, QUANTILES, axis=1) if size else np.zeros((len(QUANTILES), 0))
    found = {}
    for k, code in enumerate(members.codes.tolist()):
        count, still_open, due, fixed, expected = (int(total[k]) for total in of_group)
        quantiles = tuple(fixed + round(float(level[k])) for level in levels)
        found[code] = Sums(count, still_open, due, fixed, expected, quantiles)
    return found


def _whole(place: Ints, minor: Ints, size: int) -> Ints:
    """Sums of whole minor units; `bincount` would go through floats."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place, minor)
    return total
