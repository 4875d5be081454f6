"""Time limits in working hours and working days of the Chinese calendar (with 调休). Pure."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from gengyun.kernel.calc.workdays import workdays

LONGEST = 400  # days looked ahead


def is_working_day(day: date) -> bool:
    return not _rest(day)


@lru_cache(maxsize=4_000)
def _rest(day: date) -> bool:
    return bool(workdays(day, 1).is_rest[0])


def after_working_hours(
    start: datetime,
    hours: float,
    *,
    opens: int = 9,
    closes: int = 18,
    is_working: Callable[[date], bool] = is_working_day,
) -> datetime:
    """The instant at which `hours` of working time have passed since `start`.

    `start` is aware and in the company's zone; a working day runs from `opens` to `closes` o'clock.
    """
    left = timedelta(hours=hours)
    day = start.date()
    for _ in range(LONGEST):
        if is_working(day):
            first = max(start, _at(day, opens, start))
            last = _at(day, closes, start)
            if first < last:
                if left <= last - first:
                    return first + left
                left -= last - first
        day += timedelta(days=1)
    return _at(day, closes, start)


def after_working_days(
    start: datetime,
    days: int,
    *,
    closes: int = 18,
    is_working: Callable[[date], bool] = is_working_day,
) -> datetime:
    """The end of the `days`-th working day after the day of `start`."""
    day, left = start.date(), days
    for _ in range(LONGEST):
        if left <= 0:
            break
        day += timedelta(days=1)
        left -= is_working(day)
    return _at(day, closes, start)


def _at(day: date, hour: int, like: datetime) -> datetime:
    if hour >= 24:
        return datetime.combine(day + timedelta(days=1), time.min, like.tzinfo)
    return datetime.combine(day, time(hour), like.tzinfo)
