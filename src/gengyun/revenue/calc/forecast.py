"""Expected renewals with P10, P50 and P90, by simulation (science.md 6).

A draw decides every open renewal at once: rates are drawn from what is believed of them, each
quarter gets one effect that all its renewals share, what a model gave is shifted together by what
its level may be off, each renewal comes out or not, those that do change their amount as renewals
of the same cell have done, and all amounts of a quarter move a little together. The change is on
what the customer was asked for, and where nobody said that, on what comes due. Sums over the draws
give the intervals. A renewal that is decided counts with what it came to, in every draw. Expected
amounts are rounded renewal by renewal, so that those of months add up to those of quarters.

Beside each amount stands its gross part: what comes back of what comes due, no more than that of
any renewal. It is taken from the same draws, so it is never above the amount in any of them.

The same book and odds give the same figures, in whatever order the rows come and whatever other
renewals are in the book: random numbers belong to the `key` of a renewal and start from a fixed
seed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gengyun.revenue.calc.forecast_sums import NOTHING, Drawn, Members, Singles, Sums, sums_of
from gengyun.revenue.calc.renewal_odds import (
    AMOUNT_SPREADS,
    SPREADS,
    Days,
    Flags,
    Floats,
    Ints,
    Odds,
    expected_of,
    logit,
    quarter_of,
)

DRAWS = 3_000
LARGEST = 5
MOST_INVERSE = 1e6  # of a probability: keeps places within 32 bits
BLOCK = 256  # renewals drawn at once: the arrays of a block stay in the cache
# (16 sqrt 3 / 15 pi)^2: a logit with normal noise of variance v is as flat as one divided by
# sqrt(1 + c v); stretched by it, the mean over the noise is the rate that was meant
FLATTENING = (16 * np.sqrt(3) / (15 * np.pi)) ** 2


@dataclass(frozen=True)
class Book:
    """Renewals that come due in a period, as known on the day of the forecast; one currency."""

    key: Ints  # unique
    cell: Ints  # row of `Odds.rates`
    due_on: Days
    due_minor: Ints
    settled_minor: Floats  # what a decided one came to; nan: open
    probability: Floats  # of renewing, from a model that knows what is open; nan: the cell's rate
    # ARR asked for the next term over what comes due; nan, or none at all: nobody said
    asked: Floats | None = None

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
            None if self.asked is None else self.asked[order],
        )

    @property
    def gross_settled(self) -> Floats:
        """What decided ones kept of what came due; nan: open."""
        return np.minimum(self.settled_minor, self.due_minor)


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
    members = {name: Members(codes) for name, codes in rows.items()}
    net = Drawn.of(members, mine.settled_minor, draws)
    gross = Drawn.of(members, mine.gross_settled, draws)
    asked = expected_of(mine.due_minor, mine.asked)
    alike = _alike(mine, odds, as_of)
    for block, ratios in _drawn(odds, alike, draws=draws, seed=seed):
        amounts = np.multiply(ratios, asked[block, None], out=ratios, casting="same_kind")
        net.add(block, amounts)
        due = mine.due_minor[block, None].astype(np.float32)
        gross.add(block, np.minimum(amounts, due, out=amounts))
    made = {name: sums_of(name, mine.due_minor, net, gross) for name in members}
    return Forecast(
        total=made[""].get(0, NOTHING),
        without_largest=made["without"].get(0, NOTHING),
        largest=mine.key[largest],
        groups={name: made[name] for name in dimensions},
        expected_minor=dict(zip(mine.key.tolist(), net.expected().tolist(), strict=True)),
        from_model=int((is_open & ~np.isnan(mine.probability)).sum()),
    )


def largest_rows(book: Book, count: int = LARGEST) -> Flags:
    """The largest by the amount that comes due; of equal ones the first key."""
    found = np.zeros(len(book), dtype=np.bool_)
    found[np.lexsort((book.key, -book.due_minor))[:count]] = True
    return found


class _Streams:
    """Random numbers that belong to a renewal, a quarter or a rate, whatever else is in the book.

    So a month shows the same figures alone and within its quarter, and a renewal that changes
    leaves the draws of all others as they were. Counters of Philox: quick to go to, and apart.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.Philox(key=seed)
        self._state = self._bits.state
        self._random = np.random.Generator(self._bits)

    def of(self, kind: int, key: int) -> np.random.Generator:
        self._state["state"]["counter"][:] = (0, key, kind, 0)
        self._bits.state = self._state
        return self._random


@dataclass(frozen=True)
class _Alike:
    """Open renewals in runs that share cell, quarter and logit: a run needs its odds only once."""

    rows: Ints  # of the book, run after run
    run: Ints  # of each of `rows`
    cell: Ints  # of each run
    quarter: Ints  # place in `quarters`, of each run
    quarters: Ints
    key: Ints  # of each of `rows`
    own: Floats  # logit from a model; nan: the cell's rate
    silence: Floats  # what being open so long adds to the cell's logit


def _alike(book: Book, odds: Odds, as_of: np.datetime64) -> _Alike:
    """A model's probability knows already what is still open; a cell's rate does not."""
    at = np.flatnonzero(np.isnan(book.settled_minor))
    own = logit(book.probability[at])
    days = (as_of - book.due_on[at]).astype(np.int64)
    silence = np.where(np.isnan(own), np.round(odds.delays.offset(days), 2), 0.0)
    quarters, quarter = np.unique(quarter_of(book.due_on[at]), return_inverse=True)
    known = np.nan_to_num(own, nan=np.inf)
    order = np.lexsort((at, known, silence, quarter, book.cell[at]))
    columns = np.stack([book.cell[at], quarter, silence, known])[:, order]
    starts = np.ones(len(at), np.bool_)
    starts[1:] = (columns[:, 1:] != columns[:, :-1]).any(axis=0)
    heads = order[starts]
    return _Alike(
        rows=at[order],
        run=np.cumsum(starts) - 1,
        cell=book.cell[at][heads],
        quarter=quarter[heads],
        quarters=quarters,
        key=book.key[at][order],
        own=own[heads],
        silence=silence[heads],
    )


def _drawn(odds: Odds, alike: _Alike, *, draws: int, seed: int) -> Iterator[tuple[Ints, Singles]]:
    """Blocks of open renewals: rows of the book, and [row, draw] new ARR over old, 0 where lost."""
    streams = _Streams(seed)
    spread = SPREADS[streams.of(3, 0).choice(len(SPREADS), draws, p=odds.spread_weight)]
    stretch = np.sqrt(1 + FLATTENING * spread**2)
    levels = model_levels(odds)
    shifts = [level * streams.of(4, place).normal(size=draws) for place, level in enumerate(levels)]
    stretches = [np.sqrt(1 + FLATTENING * (spread**2 + level**2)) for level in levels]
    cells = np.array(
        [
            logit(streams.of(2, place).beta(rate.alpha, rate.beta, draws))
            for place, rate in enumerate(odds.rates)
        ]
    )
    effect = [spread * streams.of(1, one).normal(size=draws) for one in alike.quarters.tolist()]
    moved = _Moved(odds, alike.quarters, streams, draws)
    steps = odds.ratios.shape[1]
    # the last place stands for a loss
    table = np.append(odds.ratios, np.zeros((len(cells), 1)), axis=1).astype(np.float32)
    for start in range(0, len(alike.rows), BLOCK):
        run = alike.run[start : start + BLOCK]
        chance = np.empty((len(run), draws), np.float32)
        for place, key in enumerate(alike.key[start : start + BLOCK].tolist()):
            streams.of(0, key).random(out=chance[place], dtype=np.float32)
        ratios = np.empty_like(chance)
        edges = [0, *(np.flatnonzero(np.diff(run)) + 1).tolist(), len(run)]
        for first, last in pairwise(edges):
            one = int(run[first])
            cell = int(alike.cell[one])
            if np.isnan(alike.own[one]):
                eta = (cells[cell] + alike.silence[one]) * stretch
            else:
                eta = alike.own[one] * stretches[cell] + shifts[cell]
            eta = eta + effect[alike.quarter[one]]
            # chance below p is a renewal; chance / p is then even on [0, 1) and picks the ratio
            inverse = np.minimum(1 + np.exp(-eta), MOST_INVERSE) * steps
            chosen = chance[first:last]
            chosen *= inverse.astype(np.float32)
            table[cell].take(chosen.astype(np.int32), out=ratios[first:last], mode="clip")
            moved.apply(cell, int(alike.quarter[one]), to=ratios[first:last])
        yield alike.rows[start : start + BLOCK], ratios


class _Moved:
    """What a draw does to all amounts of a quarter and cell together: prices that rise for all, and
    a mean ratio that is learned from few. On average 1."""

    def __init__(self, odds: Odds, quarters: Ints, streams: _Streams, draws: int) -> None:
        self._found: dict[tuple[int, int], Singles] = {}
        self._quarters, self._cells = [], []
        weight, levels = odds.amount_weight, odds.ratio_levels
        if len(weight):
            spread = AMOUNT_SPREADS[streams.of(5, 0).choice(len(weight), draws, p=weight)]
            self._quarters = [
                spread * streams.of(6, one).normal(size=draws) - spread**2 / 2
                for one in quarters.tolist()
            ]
        self._cells = [
            level * streams.of(7, place).normal(size=draws) - level**2 / 2
            for place, level in enumerate(levels.tolist())
        ]

    def apply(self, cell: int, quarter: int, *, to: Singles) -> None:
        if not self._quarters and not self._cells:
            return
        if (cell, quarter) not in self._found:
            total = self._quarters[quarter] if self._quarters else 0.0
            total = total + (self._cells[cell] if self._cells else 0.0)
            self._found[cell, quarter] = np.exp(total).astype(np.float32)
        to *= self._found[cell, quarter]


def model_levels(odds: Odds) -> list[float]:
    """How far a model's probabilities of each cell may be off together, on the logit.

    They were learned from the renewals that the odds know: of a cell's share lost the log odds has
    the standard error sqrt(1 / renewed + 1 / lost) (Woolf 1955), and no model knows the level of a
    cell better. A few large customers are most of the money and few of the renewals: one level for
    all of them would know too much of those. One draw shifts all that it gave of a cell.
    """
    return [math.sqrt(1 / rate.alpha + 1 / rate.beta) for rate in odds.rates]
