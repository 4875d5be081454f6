"""When a person may be written to: their own evening, night and days of rest are left alone. Pure.

Days of rest follow the Chinese statutory calendar with 调休 where the person lives by it; for other
time zones only Saturday and Sunday are known to be free.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gengyun.kernel.calc.workdays import workdays

CHINESE_ZONES = frozenset(
    {"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC"}
)
HOUR = timedelta(hours=1)  # the most that clocks are put forward
MOST_DAYS = 40  # longer than any holiday with the weekends around it


@dataclass(frozen=True)
class Quiet:
    """Hours in the recipient's time, half-open; equal times: at any hour."""

    quiet_from: time
    quiet_to: time
    working_days_only: bool = True


def is_rest_day(day: date, zone: ZoneInfo) -> bool:
    if zone.key in CHINESE_ZONES:
        return bool(workdays(day, 1).is_rest[0])
    return day.weekday() >= 5


def is_quiet(at: datetime, zone: ZoneInfo, quiet: Quiet) -> bool:
    """May nothing arrive at this instant?"""
    local = at.astimezone(zone)
    if quiet.working_days_only and is_rest_day(local.date(), zone):
        return True
    first, last, clock = quiet.quiet_from, quiet.quiet_to, local.time()
    if first > last:
        return clock >= first or clock < last
    return first <= clock < last


def first_allowed(at: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """The first instant from `at` on that is not quiet, in UTC.

    Clocks that are put forward or back: the wall clock at the place decides, so an hour that does
    not exist is passed over, and one that comes twice is quiet or not both times.
    """
    if not is_quiet(at, zone, quiet):
        return at.astimezone(UTC)
    start = at.astimezone(zone).date()
    for k in range(MOST_DAYS):
        for clock in sorted({time.min, quiet.quiet_to}):
            local = datetime.combine(start + timedelta(days=k), clock, zone)
            for fold in (0, 1):
                moment = local.replace(fold=fold).astimezone(UTC)
                if moment >= at and not is_quiet(moment, zone, quiet):
                    return _not_skipped(moment, max(at, moment - HOUR), zone, quiet)
    raise ValueError("These hours never allow a message.")


def _not_skipped(moment: datetime, since: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """Where the wanted time of day was skipped, the end of the gap."""
    minute = timedelta(minutes=1)
    while moment - minute >= since and not is_quiet(moment - minute, zone, quiet):
        moment -= minute
    return moment
