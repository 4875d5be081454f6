"""At once or with the digest, and at which moment. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gengyun.kernel.calc.workdays import workdays
from gengyun.kernel.currencies import minor_of_one

URGENT = 1
MINUS = "−"


@dataclass(frozen=True)
class Times:
    """Of a channel, company time. Equal quiet times: it may ring at any hour."""

    digest_at: time
    quiet_from: time
    quiet_to: time


def mode_of(severity: int, *, at_once: int, digest: int, is_in_digest: bool) -> str:
    """at_once, digest or none. What is beyond a CSM's budget never rings, urgent things always."""
    if severity <= at_once and (not is_in_digest or severity == URGENT):
        return "at_once"
    return "digest" if severity <= max(digest, at_once if is_in_digest else 0) else "none"


def due_at(mode: str, *, now: datetime, zone: ZoneInfo, times: Times) -> datetime:
    """At once, but not in quiet hours; the digest at its time on the next working day."""
    local = now.astimezone(zone)
    if mode == "at_once":
        return _after_quiet(local, times).astimezone(now.tzinfo)
    day = local.date()
    if local.time() >= times.digest_at:
        day += timedelta(days=1)
    rest = workdays(day, 20).is_rest
    day += timedelta(days=next((k for k, is_rest in enumerate(rest) if not is_rest), 0))
    return datetime.combine(day, times.digest_at, zone).astimezone(now.tzinfo)


def _after_quiet(local: datetime, times: Times) -> datetime:
    first, last, at = times.quiet_from, times.quiet_to, local.time()
    over_midnight = first > last
    is_quiet = (at >= first or at < last) if over_midnight else first <= at < last
    if not is_quiet:
        return local
    day = local.date() + timedelta(days=1 if over_midnight and at >= first else 0)
    return datetime.combine(day, last, local.tzinfo)


def money(minor: int, currency: str, *, zh: bool) -> str:
    """48.6 万, 1.2 亿; 486k, 1.20M."""
    major, sign = abs(minor) / minor_of_one(currency), MINUS if minor < 0 else ""
    mark = "" if currency == "CNY" else f"{currency} "
    if zh:
        if major >= 99_995_000:
            return f"{sign}{mark}{major / 1e8:,.1f} 亿"
        if major >= 9_995:
            return f"{sign}{mark}{major / 1e4:,.1f} 万"
        return f"{sign}{mark}{major:,.0f} 元" if currency == "CNY" else f"{sign}{mark}{major:,.0f}"
    if major >= 999_500:
        return f"{sign}{mark}{major / 1e6:,.2f}M"
    return f"{sign}{mark}{major / 1e3:,.0f}k" if major >= 9_995 else f"{sign}{mark}{major:,.0f}"
