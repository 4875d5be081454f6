"""Days of the company: a day is a day in the company's time zone; intervals are half-open.

"As of day D" means everything that had happened, and was known, before D 00:00 company time.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1)
def company_zone() -> ZoneInfo:
    from django.conf import settings

    return ZoneInfo(settings.TIME_ZONE)


def day_of(instant: datetime) -> date:
    """The company's day on which an aware instant falls."""
    return instant.astimezone(company_zone()).date()


def start_of(day: date) -> datetime:
    """The instant (UTC) at which the company's day begins."""
    return datetime.combine(day, time.min, company_zone()).astimezone(UTC)


def days_before(day: date, count: int) -> date:
    return day - timedelta(days=count)
