"""The rules over use: parameters into the detectors, detections into what was found."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from gengyun.alerts.calc.detect import DropRule, dormant, slow_slide, usage_drop
from gengyun.alerts.calc.found import Found, Ints
from gengyun.alerts.calc.rules import SETTLED_DAYS, Params, severities
from gengyun.usage.calc.calendar import Calendar, Outage


def drop(
    ids: Ints, usage: npt.ArrayLike, calendar: Calendar, params: Params, severity: int
) -> Found:
    """R1. Over when use is back at `exit_ratio` of what it was before the episode; a level that
    lasted through both windows is the new usual, and the detector's own word counts then."""
    exit_ratio = float(params["exit_ratio"])
    rule = DropRule(
        z=params["z"],
        strong_z=params["strong_z"],
        ratio=params["ratio"],
        min_expected=params["min_expected"],
        exit_ratio=exit_ratio,
    )
    seen = usage_drop(usage, calendar.by_group, rule, groups=calendar.groups)
    with np.errstate(invalid="ignore"):
        urgent = seen.ratio < params["urgent"] if params["urgent"] is not None else None
    return Found(
        ids,
        seen.is_confirmed,
        seen.is_over,
        severities(len(ids), severity, urgent),
        seen.rate_now,
        reference=seen.rate_before,
        facts={
            "z": seen.z,
            "ratio": seen.ratio,
            "observed": seen.observed,
            "expected": seen.expected,
            "is_over": seen.is_over,
        },
        worse="lower",
        back=lambda now, before, days: (
            now >= exit_ratio * before or (days > SETTLED_DAYS and now > 0)
        ),
    )


def silence(
    ids: Ints,
    usage: npt.ArrayLike,
    calendar: Calendar,
    params: Params,
    severity: int,
    *,
    active_days_before: npt.ArrayLike | None = None,
    last_on: npt.NDArray[np.datetime64] | None = None,
) -> Found:
    """R2. Over with the first use. `last_on`: last days of use where they are known further back
    than the matrix reaches."""
    seen = dormant(
        usage,
        calendar.by_group,
        silent_days=params["quiet_days"],
        active_days=params["active_days"],
        active_days_before=active_days_before,
        groups=calendar.groups,
    )
    with np.errstate(invalid="ignore"):
        urgent = seen.effective_days >= params["urgent"] if params["urgent"] is not None else None
        cleared = seen.effective_days < min(5.0, params["quiet_days"])
    days: Sequence[date | None] = (
        [None if n < 0 else calendar.start + timedelta(days=n) for n in seen.last_active.tolist()]
        if last_on is None
        else last_on.tolist()
    )
    return Found(
        ids,
        seen.is_dormant,
        cleared,
        severities(len(ids), severity, urgent),
        seen.effective_days,
        facts={"last_on": days, "active_days": seen.active_days_before},
    )


def slide(
    ids: Ints, usage: npt.ArrayLike, calendar: Calendar, params: Params, severity: int
) -> Found:
    """The watch-list: weeks a little below the usual add up. Over at half the height."""
    seen = slow_slide(
        usage, calendar.by_group, h=params["h"], drift=params["drift"], groups=calendar.groups
    )
    with np.errstate(invalid="ignore"):
        cleared = seen.height < params["h"] / 2
    return Found(
        ids,
        seen.is_sliding,
        cleared,
        severities(len(ids), severity),
        seen.height,
        facts={"weeks": seen.weeks, "rate_before": seen.rate_before, "rate_now": seen.rate_now},
        worse="higher",
    )


def outage(calendar: Calendar, as_of: date, severity: int) -> Found:
    """One incident for the whole company while the day before is one of an outage's."""
    running = ongoing(calendar, as_of)
    rows = [running] if running else []
    return Found(
        np.full(len(rows), -1, dtype=np.int64),
        np.ones(len(rows), dtype=np.bool_),
        np.zeros(len(rows), dtype=np.bool_),
        severities(len(rows), severity),
        np.array([one.ratio for one in rows], dtype=np.float64),
        facts={
            "first": [one.first for one in rows],
            "last": [one.last for one in rows],
            "expected": [one.expected for one in rows],
            "observed": [one.observed for one in rows],
            "customers": [one.customers for one in rows],
            "is_announced": [one.is_announced for one in rows],
        },
        keys=["outage" for _ in rows],
        missing_is_cleared=True,
    )


def ongoing(calendar: Calendar, as_of: date) -> Outage | None:
    """The outage that the day before belongs to, or that only rest days part from it."""
    return next((one for one in calendar.outages if one.last >= as_of - timedelta(days=1)), None)


def explained_by_calendar(found: Found, usage: npt.ArrayLike, calendar: Calendar) -> int:
    """Customers whose plain 14 days against 84 look like a drop but who work as their calendar
    does: what holidays would have raised without a calendar. 0 when the time was ordinary."""
    factor = calendar.factor
    if len(factor) < 98 or factor[-14:].mean() > 0.8 * factor[-98:-14].mean():
        return 0
    use = np.asarray(usage)
    now, before = use[:, -14:].sum(axis=1) / 14, use[:, -98:-14].sum(axis=1) / 84
    looks_low = (before * 14 >= 5) & (now < 0.8 * before)
    return int((looks_low & ~found.entered).sum())
