"""Windows over columns of many accounts at once, and what the days in them are worth.

Everything that keeps a snapshot honest about time is in here: `spans` gives only rows that happened
before the end of a window and were known before the day of the snapshot, and the worth of a day is
learned from what had been known a moment later.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.observed import Observed
from gengyun.churn.calc.table import Days, Floats, Ints
from gengyun.usage.calc.calendar import learn

DAY_BITS = 20  # days since 1970 fit, a thousand years each way
SETTLED = 2  # days after which what a day was worth is learned; before, from what came at once
NO_DAY = np.iinfo(np.int64).min
LEAST_WORTH = 1.0  # effective days below which a rate says nothing


def numbers(days: Days) -> Ints:
    """Days since 1970-01-01; NaT is NO_DAY, which is before every day."""
    return np.asarray(days, "datetime64[D]").astype(np.int64)


def places(accounts: Ints, wanted: Ints) -> Ints:
    """Place of each in the ascending `accounts`; -1: not there."""
    if not len(accounts):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(accounts, wanted), len(accounts) - 1)
    return np.where(accounts[at] == wanted, at, -1)


@dataclass(frozen=True)
class Index:
    """Rows sorted by a whole number (account, or account and kind) and a day."""

    key: Ints  # number << DAY_BITS | day
    day: Ints
    known: Ints  # NO_DAY: known on its own day

    @classmethod
    def of(cls, number: Ints, day: Ints, known: Ints) -> "Index":
        return cls((number << DAY_BITS) + day, day, known)

    def bounds(self, number: Ints, first: Ints, end: Ints) -> tuple[Ints, Ints]:
        """First row and row after the last of each window [first, end)."""
        base = number << DAY_BITS
        return (
            np.searchsorted(self.key, base + np.maximum(first, 0)),
            np.searchsorted(self.key, base + np.maximum(end, 0)),
        )

    def spans(self, number: Ints, first: Ints, end: Ints, at: Ints) -> tuple[Ints, Ints]:
        """(window, row) for every row of each window that was known before its `at`.

        number, first, end and at: one per window; a number below 0 has no rows.
        """
        begin, stop = self.bounds(number, first, end)
        window, row = expand(begin, np.where(number < 0, begin, stop))
        known = np.maximum(self.known[row], self.day[row])
        seen = known < at[window]
        return window[seen], row[seen]


def expand(begin: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Every whole number of each [begin, stop) with the place of its range."""
    length = np.maximum(stop - begin, 0)
    owner = np.repeat(np.arange(len(begin)), length)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    return owner, begin[owner] + offset


def total(owner: Ints, values: npt.NDArray[np.generic] | None, count: int) -> Floats:
    """Sum of `values` (None: number) per owner."""
    weights = None if values is None else values.astype(np.float64)
    return np.bincount(owner, weights, minlength=count).astype(np.float64)


def latest(owner: Ints, values: Ints, count: int) -> Ints:
    """Largest value per owner; NO_DAY where there is none."""
    found = np.full(count, NO_DAY)
    np.maximum.at(found, owner, values)
    return found


def ratio(above: Floats, below: Floats) -> Floats:
    """nan where `below` is 0 or unknown."""
    found: Floats = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=found, where=np.asarray(below > 0))
    return found


@dataclass(frozen=True)
class Worth:
    """Effective days: sums of the learned calendar, per season, from the first day of all use."""

    start: int
    settled: Floats  # [seasons, days + 1]: sums up to a day, learned SETTLED days later
    at_once: Floats  # the same, from what was known on the day itself
    season: Ints  # row per account

    def between(self, place: Ints, first: Ints, end: Ints, at: Ints) -> Floats:
        """Effective days of [first, end) as they were known at `at`."""
        row = self.season[place]
        limit = self.settled.shape[1] - 1

        def to(sums: Floats, day: Ints) -> Floats:
            return np.asarray(sums[row, np.clip(day - self.start, 0, limit)])

        middle = np.clip(at - SETTLED, first, np.maximum(first, end))
        worth = to(self.settled, middle) - to(self.settled, first)
        return np.asarray(worth + to(self.at_once, end) - to(self.at_once, middle))


def worth_of(observed: Observed) -> Worth:
    """Learned from the use of all accounts. As of a day it holds nothing that came later: what a
    day is worth is decided by the days up to it, as known SETTLED days after each (the last ones:
    on the day itself), so that one reading serves every snapshot."""
    use = observed.use
    day = numbers(use.day)
    until = (observed.until - date(1970, 1, 1)).days
    start = min(int(day.min(initial=until)), until)
    place = places(observed.accounts, use.account)
    inside = (place >= 0) & (day < until)
    seasons = np.full(len(observed.accounts), -1) if observed.seasons is None else observed.seasons
    days = until - start
    sums = []
    for delay in (SETTLED, 0):
        kept = inside & (numbers(use.known) <= day + delay)
        shape = (len(observed.accounts), days)
        flat = np.bincount(
            place[kept] * days + day[kept] - start, use.events[kept], minlength=shape[0] * days
        )
        calendar = learn(
            flat.reshape(shape).astype(np.float32),
            start=date.fromordinal(date(1970, 1, 1).toordinal() + start),
            groups=seasons if (seasons >= 0).any() else None,
        )
        factor = calendar.by_group
        sums.append(np.concatenate([np.zeros((len(factor), 1)), np.cumsum(factor, axis=1)], axis=1))
        season = calendar.groups
    return Worth(start, sums[0], sums[1], season)


def window_bits(month: Ints, first: Ints, end: Ints) -> Ints:
    """The bits of a month's days that lie in [first, end); `month` is the day number of its 1st."""
    low, high = np.clip(first - month, 0, 31), np.clip(end - month, 0, 31)
    one = np.int64(1)
    return np.asarray((np.left_shift(one, high) - 1) & ~(np.left_shift(one, low) - 1))
