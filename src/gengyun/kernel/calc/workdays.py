"""How much work a day is usually worth, from the published holidays alone: the base of the learned
calendar.

The State Council announces a year in the November before it. For a year that the table does not
hold yet, weekdays and the days that the law itself names are taken, and the day is marked as not
announced: the bridging days and 调休 of that year are unknown.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
import numpy as np
import numpy.typing as npt

# shares of an ordinary working day, before anything is learned
WORKDAY, MAKE_UP_DAY, WEEKEND, HOLIDAY = 1.0, 0.8, 0.12, 0.06
# 全国年节及纪念日放假办法 (2025); the moving 清明, 端午 and 中秋, a day each, are left out
FIXED_DAYS = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
LUNAR_NEW_YEAR = {
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
    2031: date(2031, 1, 23),
    2032: date(2032, 2, 11),
}
SPRING_FESTIVAL = range(-1, 7)  # the eve to the sixth day: 4 by law, stretched to 8 every year


@dataclass(frozen=True)
class Workdays:
    """`base` per day; `is_rest` weekends and holidays; `is_announced` False: taken from habit."""

    start: date
    base: npt.NDArray[np.float64]
    is_rest: npt.NDArray[np.bool_]
    is_announced: npt.NDArray[np.bool_]

    @property
    def unannounced_from(self) -> date | None:
        """The first day for which no holiday table exists; None: all are announced."""
        if self.is_announced.all():
            return None
        return self.start + timedelta(days=int(np.argmin(self.is_announced)))


def workdays(start: date, count: int) -> Workdays:
    """`count` days from `start`."""
    found = [_one(start + timedelta(days=k)) for k in range(count)]
    return Workdays(
        start,
        np.array([base for base, _, _ in found], dtype=np.float64),
        np.array([rest for _, rest, _ in found], dtype=np.bool_),
        np.array([known for _, _, known in found], dtype=np.bool_),
    )


@lru_cache(maxsize=20_000)
def _one(day: date) -> tuple[float, bool, bool]:
    try:
        is_rest, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return (*_by_habit(day), False)
    if is_rest:
        # a weekend inside a holiday is quiet like the holiday
        return HOLIDAY if name else WEEKEND, True, True
    return WORKDAY if day.weekday() < 5 else MAKE_UP_DAY, False, True


def _by_habit(day: date) -> tuple[float, bool]:
    new_year = LUNAR_NEW_YEAR.get(day.year)
    if new_year is not None and (day - new_year).days in SPRING_FESTIVAL:
        return HOLIDAY, True
    if (day.month, day.day) in FIXED_DAYS:
        return HOLIDAY, True
    return (WEEKEND, True) if day.weekday() >= 5 else (WORKDAY, False)


LONGEST = 4_000  # working days; more than that is no date that anybody means


def is_working_day(day: date) -> bool:
    return not _one(day)[1]


def working_day_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`; 0: the day itself, or the next one that works."""
    left = min(max(count, 0), LONGEST)
    if left == 0:
        while not is_working_day(day):
            day += timedelta(days=1)
        return day
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """How many working days lie in (start, end]; negative where `end` comes first."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=k + 1)) for k in range((end - start).days))
