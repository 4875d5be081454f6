"""Inputs from the use of the product: how much, by how many, how it moves (science.md 4.1).

Windows are days, rates are per effective day. A window reaches back no further than the first use:
a customer of forty days is not compared with days before it came. Nobody who was never heard from
has a use of 0: it is unknown.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gengyun.churn.calc.asked import Asked
from gengyun.churn.calc.observed import Observed
from gengyun.churn.calc.table import Flags, Floats, Ints
from gengyun.churn.calc.windows import (
    LEAST_WORTH,
    NO_DAY,
    Index,
    Worth,
    expand,
    latest,
    numbers,
    ratio,
    total,
)

MONTH = 20.0  # effective days of an ordinary month: rates are told per month
SEASON = 62.0  # of 90 days
YEAR = 364
SMALL = 0.02  # of science.md: keeps a logarithm of two small shares quiet


@dataclass(frozen=True)
class UseReader:
    """The daily columns of all accounts, ready to be asked."""

    index: Index
    events: Floats
    users: Floats
    worth: Worth

    @classmethod
    def of(cls, observed: Observed, place: Ints, worth: Worth) -> "UseReader":
        """`place`: of the account of each row of `observed.use`."""
        use = observed.use
        return cls(
            Index.of(place, numbers(use.day), numbers(use.known)), use.events, use.users, worth
        )

    def read(self, asked: Asked) -> "UseSeen":
        first, last = self.ends(asked)
        window, row = self.index.spans(asked.place, asked.end - 2 * YEAR, asked.end, asked.at)
        return UseSeen(
            asked,
            first,
            last,
            window,
            self.index.day[row],
            self.events[row],
            self.users[row],
            self.worth,
        )

    def ends(self, asked: Asked) -> tuple[Ints, Ints]:
        """First and last day with use that was known, of all time; NO_DAY without any."""
        begin, stop = self.index.bounds(asked.place, np.zeros_like(asked.end), asked.end)
        stop = np.where(asked.place < 0, begin, stop)
        known = np.maximum(self.index.known, self.index.day)
        first, last = np.full(len(begin), NO_DAY), np.full(len(begin), NO_DAY)
        has = stop > begin
        if not has.any():
            return first, last
        low, high = begin[has], stop[has] - 1
        at = asked.at[has]
        easy = (known[low] < at) & (known[high] < at)
        first[has] = np.where(easy, self.index.day[low], NO_DAY)
        last[has] = np.where(easy, self.index.day[high], NO_DAY)
        hard = np.flatnonzero(has)[~easy]  # what came late stands at an end
        owner, row = expand(begin[hard], stop[hard])
        seen = known[row] < asked.at[hard][owner]
        days = self.index.day[row[seen]]
        last[hard] = latest(owner[seen], days, len(hard))
        earliest = latest(owner[seen], -days, len(hard))
        first[hard] = np.where(earliest == NO_DAY, NO_DAY, -earliest)
        return first, last


@dataclass(frozen=True)
class UseSeen:
    """Two years of use before each snapshot, one row per (window, day)."""

    asked: Asked
    first: Ints
    last: Ints
    window: Ints
    day: Ints
    events: Floats
    users: Floats
    worth: Worth

    @cached_property
    def ago(self) -> Ints:
        """Days from a row to the end of its window, 1 for the last day."""
        return self.asked.end[self.window] - self.day

    @cached_property
    def is_new_day(self) -> Flags:
        """One of the rows of each day: rows of a window follow each other by day."""
        new = np.ones(len(self.day), np.bool_)
        new[1:] = (self.day[1:] != self.day[:-1]) | (self.window[1:] != self.window[:-1])
        return new

    @cached_property
    def is_known(self) -> Flags:
        return np.asarray(self.first != NO_DAY)

    def effective(self, old: int, new: int) -> Floats:
        """Effective days of [end - old, end - new), from the first use on; nan: too few."""
        end = self.asked.end
        begin = np.maximum(end - old, self.first)
        begin = np.where(self.is_known, begin, end)
        stop = np.maximum(end - new, begin)
        days = self.worth.between(np.maximum(self.asked.place, 0), begin, stop, self.asked.at)
        return np.where(self.is_known & (days >= LEAST_WORTH), days, np.nan)

    def sum(self, values: Floats, old: int, new: int) -> Floats:
        inside = (self.ago <= old) & (self.ago > new)
        return total(self.window[inside], values[inside], len(self.first))

    def rate(self, values: Floats, old: int, new: int) -> Floats:
        """Per effective day."""
        return ratio(self.sum(values, old, new), self.effective(old, new))

    def active_days(self, old: int, new: int) -> Floats:
        """Days with any use."""
        inside = self.is_new_day & (self.ago <= old) & (self.ago > new)
        return np.where(self.is_known, total(self.window[inside], None, len(self.first)), np.nan)

    def weeks(self, count: int) -> Floats:
        """Share of the last `count` weeks with any use, of those since the first use."""
        inside = (self.ago >= 1) & (self.ago <= 7 * count)
        window, week = self.window[inside], (self.ago[inside] - 1) // 7
        new = np.ones(len(week), np.bool_)
        new[1:] = (week[1:] != week[:-1]) | (window[1:] != window[:-1])
        seen = window[new]
        first = np.where(self.is_known, self.first, self.asked.end)
        held = np.minimum(count, (self.asked.end - first + 6) // 7)
        share = total(seen, None, len(self.first)) / np.maximum(held, 1)
        return np.where(self.is_known, share, np.nan)


def use_features(seen: UseSeen, seats: Floats) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """(inputs, raw numbers behind them), one value per snapshot."""
    is_known = np.where(seen.is_known, 1.0, np.nan)
    silent = _silent(seen)
    inputs = {
        **_per_seat(seen, seats),
        **_volume(seen, is_known),
        "days_since_active": np.log1p(silent["effective"]),
        "gap_unusual": np.log((1 + silent["effective"]) / (1 + silent["usual"])),
        "active_weeks_12": seen.weeks(12),
        "active_weeks_52": seen.weeks(52),
    }
    raw = {
        "events_28": seen.sum(seen.events, 28, 0) * is_known,
        "events_year": np.expm1(inputs["events_year"]),
        "active_days_90": np.expm1(inputs["active_days_90"]),
        "active_days_year": np.expm1(inputs["active_days_year"]),
        "rate_28": np.expm1(inputs["rate_28"]),
        "rate_prev90": MONTH * seen.rate(seen.events, 118, 28),
        "daily_users_28": seen.rate(seen.users, 28, 0),
        "daily_users_prev90": seen.rate(seen.users, 118, 28),
        "days_since_active": silent["days"],
        "usual_gap": silent["usual"],
        "active_weeks_12": 12 * inputs["active_weeks_12"],
        "active_weeks_52": 52 * inputs["active_weeks_52"],
    }
    return inputs, raw


def _per_seat(seen: UseSeen, seats: Floats) -> dict[str, Floats]:
    """People of a day per seat; unknown where seats are, or where no people are told apart."""
    told = total(seen.window, seen.users, len(seats)) > 0
    seats = np.where(told, seats, np.nan)
    now, fortnight, before = (
        ratio(seen.rate(seen.users, old, new), seats) for old, new in ((28, 0), (14, 0), (118, 28))
    )
    return {
        "util_28": now,
        "util_prev90": before,
        "util_trend": np.log((now + SMALL) / (before + SMALL)),
        "util_14_vs_28": np.log((fortnight + SMALL) / (now + SMALL)),
    }


def _volume(seen: UseSeen, is_known: Floats) -> dict[str, Floats]:
    """Events of an ordinary month or quarter, and what a year brought in all."""
    month, before = (MONTH * seen.rate(seen.events, old, new) for old, new in ((28, 0), (118, 28)))
    quarter, earlier, year_before = (
        SEASON * seen.rate(seen.events, old, new)
        for old, new in ((90, 0), (180, 90), (YEAR + 90, 90))
    )
    return {
        "rate_28": np.log1p(month),
        "rate_90": np.log1p(quarter),
        "rate_trend": np.log((month + 1) / (before + 1)),
        "rate_trend_90": np.log((quarter + 1) / (earlier + 1)),
        "rate_year_trend": np.log((quarter + 1) / (year_before + 1)),
        "events_year": np.log1p(seen.sum(seen.events, YEAR, 0)) * is_known,
        "active_days_90": np.log1p(seen.active_days(90, 0)),
        "active_days_year": np.log1p(seen.active_days(YEAR, 0)),
        "depth_28": np.log1p(ratio(seen.sum(seen.events, 28, 0), seen.sum(seen.users, 28, 0))),
    }


def _silent(seen: UseSeen) -> dict[str, Floats]:
    """How long nobody has been there, and how long that usually takes.

    usual: mean of the effective days between active days of the last year up to the last of them.
    """
    end, nan = seen.asked.end, np.nan
    place, at = np.maximum(seen.asked.place, 0), seen.asked.at
    after = np.where(seen.is_known, seen.last + 1, end)
    effective = seen.worth.between(place, after, np.maximum(end, after), at)
    begin = np.where(seen.is_known, np.maximum(seen.first, end - YEAR), end)
    active = seen.active_days(YEAR, 0)
    worth = seen.worth.between(place, begin, np.maximum(after, begin), at)
    usual = np.where(active >= 2, worth / np.maximum(active, 1), nan)
    return {
        "effective": np.where(seen.is_known, effective, nan),
        "days": np.where(seen.is_known, end - 1.0 - seen.last, nan),
        "usual": np.where(seen.is_known, usual, nan),
    }
