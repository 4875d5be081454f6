"""Months, quarters and years of the calendar, cut out of a stretch of days. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from gengyun.revenue.calc.moves import day_number

Grain = Literal["month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
MONTHS: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `start` to `end`, both included. `is_open`: the period goes on after `end`."""

    grain: Grain
    start: date
    end: date
    is_open: bool = False

    @property
    def key(self) -> str:
        """2026-03, 2026-Q1 or 2026."""
        if self.grain == "year":
            return f"{self.start.year}"
        if self.grain == "quarter":
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        return f"{self.start:%Y-%m}"


def first_of(grain: Grain, day: date) -> date:
    """The first day of the period a day lies in."""
    months = MONTHS[grain]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def stepped(grain: Grain, first: date, steps: int) -> date:
    """The first day of the period so many periods after the one that begins on `first`."""
    at = first.year * 12 + first.month - 1 + steps * MONTHS[grain]
    return date(at // 12, at % 12 + 1, 1)


def spans(grain: Grain, first: date, last: date) -> list[Span]:
    """Whole periods from the one `first` lies in; the last one ends on `last`, if not before."""
    found, start = [], first_of(grain, first)
    while start <= last:
        after = stepped(grain, start, 1)
        end = min(after - ONE, last)
        found.append(Span(grain, start, end, is_open=end < after - ONE))
        start = after
    return found


def ends(of: Sequence[Span]) -> list[int]:
    """The boundaries of neighbouring periods as day numbers: the day before the first, then the
    last day of each."""
    return [day_number(of[0].start) - 1, *(day_number(one.end) for one in of)]
