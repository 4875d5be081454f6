"""Rest days of a range: weekends and the Chinese statutory holidays with 调休.

The calendar is published a year ahead at most; where it holds no year, only weekends are known and
`is_complete` says so.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar

NAMES = {
    "New Year's Day": ("元旦", "New Year"),
    "Spring Festival": ("春节", "Spring Festival"),
    "Tomb-sweeping Day": ("清明", "Qingming"),
    "Labour Day": ("劳动节", "Labour Day"),
    "Dragon Boat Festival": ("端午", "Dragon Boat"),
    "National Day": ("国庆", "National Day"),
    "Mid-autumn Festival": ("中秋", "Mid-Autumn"),
    "Anti-Fascist 70th Day": ("抗战胜利日", "Victory Day"),
}


@dataclass
class RestDays:
    rest: list[bool] = field(default_factory=list)  # one per day of the range
    holidays: list[tuple[str, date, date]] = field(default_factory=list)  # name, first, last
    worked_weekends: list[date] = field(default_factory=list)  # 调休上班
    is_complete: bool = True


def rest_days(start: date, end: date, *, zh: bool) -> RestDays:
    """The days of [start, end)."""
    found = RestDays()
    day = start
    while day < end:
        rest, name, known = _one(day)
        found.rest.append(rest)
        found.is_complete = found.is_complete and known
        if name and rest:
            _add_holiday(found, NAMES.get(name, (name, name))[0 if zh else 1], day)
        if not rest and day.weekday() >= 5:
            found.worked_weekends.append(day)
        day += timedelta(days=1)
    return found


def _one(day: date) -> tuple[bool, str | None, bool]:
    try:
        is_rest, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return day.weekday() >= 5, None, False
    return is_rest, name, True


def _add_holiday(found: RestDays, name: str, day: date) -> None:
    if found.holidays:
        last_name, first, last = found.holidays[-1]
        if last_name == name and day - last == timedelta(days=1):
            found.holidays[-1] = (name, first, day)
            return
    found.holidays.append((name, day, day))
