"""How much people work on a day: weekends, public holidays, 调休, Spring Festival, seasons.

The constants are the project's own assumptions; only the holiday table is real.
"""

from datetime import date, timedelta

import chinese_calendar
import numpy as np

WEEKEND, HOLIDAY, MAKE_UP_DAY = 0.10, 0.06, 0.72
WEEKDAYS = np.array([1.03, 1.06, 1.04, 1.0, 0.87])

# first day of the lunar year; the last ones for years the holiday table does not hold yet
LUNAR_NEW_YEAR = {
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
    2031: date(2031, 1, 23),
    2032: date(2032, 2, 11),
}


def base_factor(day: date) -> float:
    """Share of an ordinary working day, before Spring Festival and industry seasons."""
    try:
        is_workday = chinese_calendar.is_workday(day)
        is_holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # a year whose holidays the State Council has not announced
        return float(WEEKDAYS[day.weekday()]) if day.weekday() < 5 else WEEKEND
    if is_workday:
        return float(WEEKDAYS[day.weekday()]) if day.weekday() < 5 else MAKE_UP_DAY
    return HOLIDAY if is_holiday and name else WEEKEND


def spring_factor(day: date) -> float:
    """Two weeks of running down before Spring Festival, ten days of coming back after it."""
    new_year = LUNAR_NEW_YEAR.get(day.year)
    if new_year is None:
        return 1.0
    after = (day - new_year).days
    if -15 <= after < -1:
        return 1.0 - 0.45 * (after + 15) / 14
    if -1 <= after < 7:
        return 0.4
    if 7 <= after < 17:
        return 0.62 + 0.38 * (after - 7) / 10
    return 1.0


def season_factor(day: date, season: str) -> float:
    """The industry's own year; `season` names one of five patterns."""
    month = day.month
    if season == "retail":
        if month == 11 and day.day <= 12:
            return 1.5
        return 1.3 if month == 6 and 5 <= day.day <= 18 else 1.0
    if season == "education":
        return {7: 0.35, 8: 0.35, 2: 0.6}.get(month, 1.0)
    if season == "finance":
        is_month_end = (day + timedelta(days=3)).month != month
        return 1.25 if is_month_end else 1.0
    if season == "tourism":
        return {5: 1.15, 7: 1.25, 8: 1.25, 10: 1.15, 1: 0.85, 12: 0.85}.get(month, 1.0)
    return 1.08 if month == 12 else 1.0


def factors(days: list[date], seasons: list[str]) -> np.ndarray:
    """[season, day] -> share of an ordinary working day."""
    base = np.array([base_factor(day) * spring_factor(day) for day in days])
    return np.stack([base * [season_factor(day, season) for day in days] for season in seasons])


def is_office_day(day: date) -> bool:
    """Whether our own people write notes on that day."""
    return base_factor(day) >= MAKE_UP_DAY
