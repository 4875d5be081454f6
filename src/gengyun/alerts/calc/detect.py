"""Detectors over use per customer and day. Pure numpy, all customers at once.

Everywhere `usage` is [customers, days] (events or active users), its last column the day before the
day that is judged, and `calendar` the effective days of the same columns (`calendar.learn`), 0 for
days that count for nobody. Rates are per effective day, so that weekends, holidays, 调休 and
outages move nothing (science.md 5).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RECENT, BASELINE = 14, 84  # days
DAYS_NEEDED = 182  # of history: both windows, the week before, and what the calendar learns from


@dataclass(frozen=True)
class DropRule:
    """R1 of science.md 5.3: z below `z` and use below `ratio` of its own usual, twice a week apart,
    or once below `strong_z`; only where at least `min_expected` were due.

    The two marks of z are those of science.md (-3, -5) moved to a z that also holds the wandering
    of rates: found on simulated worlds of seeds above 100 (docs/alerts.md).
    """

    z: float = -2.75
    strong_z: float = -4.75
    ratio: float = 0.8
    min_expected: float = 5.0
    # where an open episode ends: the mark of the start, less a margin against flicker
    exit_ratio: float = 0.9


@dataclass(frozen=True)
class Drops:
    """One value per customer; nan where history is too short or there was no use to compare."""

    z: Floats
    ratio: Floats  # observed over expected
    observed: Floats  # in the recent window
    expected: Floats  # in the recent window, by the own rate of the baseline
    rate_before: Floats  # per effective day, baseline
    rate_now: Floats  # per effective day, recent
    is_known: Flags
    is_low: Flags  # this evaluation alone
    is_confirmed: Flags  # with the evaluation of a week before, or strong: opens an episode
    is_over: Flags  # back at its usual: closes one


@dataclass(frozen=True)
class Dormant:
    """R2: `effective_days` without any use; nan while there never was any."""

    effective_days: Floats
    active_days_before: npt.NDArray[np.int64]
    last_active: npt.NDArray[np.int64]  # column of `usage`; -1: never
    is_dormant: Flags


def usage_drop(
    usage: npt.ArrayLike,
    calendar: npt.ArrayLike,
    rule: DropRule | None = None,
    *,
    recent: int = RECENT,
    baseline: int = BASELINE,
    confirm_after: int = 7,
) -> Drops:
    """z of the last `recent` days against the `baseline` days before them."""
    rule = rule or DropRule()
    use = np.asarray(usage)
    factor = np.asarray(calendar, dtype=np.float64)
    now = compare(use, factor, recent, baseline)
    before = compare(use[:, :-confirm_after], factor[:-confirm_after], recent, baseline)
    is_known = ~np.isnan(now.z)
    return Drops(
        z=now.z,
        ratio=now.ratio,
        observed=now.observed,
        expected=now.expected,
        rate_before=now.rate_before,
        rate_now=now.rate_now,
        is_known=is_known,
        is_low=is_low(now, rule),
        is_confirmed=is_confirmed(now, before, rule),
        is_over=is_known & (now.ratio >= rule.exit_ratio),
    )


def dormant(
    usage: npt.ArrayLike,
    calendar: npt.ArrayLike,
    *,
    silent_days: float = 10.0,
    active_days: int = 20,
    active_days_before: npt.ArrayLike | None = None,
) -> Dormant:
    """No use in `silent_days` effective days after at least `active_days` days with use.

    `active_days_before`: days with use that lie before the first column, where they are known.
    """
    use = np.asarray(usage)
    factor = np.asarray(calendar, dtype=np.float64)
    count = use.shape[1]
    is_used = use > 0
    days = is_used.sum(axis=1).astype(np.int64)
    if active_days_before is not None:
        days = days + np.asarray(active_days_before, dtype=np.int64)
    ever = is_used.any(axis=1)
    last = np.where(ever, count - 1 - is_used[:, ::-1].argmax(axis=1), -1).astype(np.int64)
    heaped = np.concatenate([[0.0], np.cumsum(factor)])
    silent = np.where(ever | (days > 0), heaped[-1] - heaped[last + 1], np.nan)
    return Dormant(
        effective_days=silent,
        active_days_before=days,
        last_active=last,
        is_dormant=(days >= active_days) & (silent >= silent_days),
    )


@dataclass(frozen=True)
class Slides:
    """The watch-list: weeks a little below the usual add up (CUSUM)."""

    height: Floats  # of the sum after the last week; nan where history is too short
    weeks: npt.NDArray[np.int64]  # since the sum left zero
    rate_before: Floats  # per effective day, in the reference weeks
    rate_now: Floats  # per effective day, in the last four weeks
    is_sliding: Flags


def slow_slide(
    usage: npt.ArrayLike, calendar: npt.ArrayLike, *, h: float = 4.0, drift: float = 0.5
) -> Slides:
    """Page's one-sided CUSUM over weeks: S = max(0, S - r - drift), flagged from `h` on.

    r is the week's use against the rate of the first twelve weeks of the window, in its standard
    errors (as in `usage_drop`). Slow declines that never look like a drop; for a list to look at,
    not for tickets (science.md 5.2: half the precision, more than twice the recall).
    """
    use = np.asarray(usage)
    factor = np.asarray(calendar, dtype=np.float64)
    customers, count = use.shape
    weeks = max(0, (count - BASELINE) // 7)
    first = count - weeks * 7  # the reference lies before the first whole week
    nothing = np.full(customers, np.nan)
    if weeks < 4:
        none = np.zeros(customers, dtype=np.bool_)
        return Slides(nothing, np.zeros(customers, np.int64), nothing, nothing.copy(), none)
    window = use[:, :first].astype(np.float64) * (factor[:first] > 0)
    began = np.where(window.any(axis=1), (window > 0).argmax(axis=1), first)
    heaped = np.concatenate([[0.0], np.cumsum(factor)])
    reference = heaped[first] - heaped[began]
    is_known = (first - began >= BASELINE // 2) & (reference > 0)
    safe = np.where(is_known, reference, 1.0)
    rate = np.where(is_known, window.sum(axis=1) / safe, np.nan)
    phi = _scatter(window, factor[:first], rate, began)
    height, age = np.zeros(customers), np.zeros(customers, dtype=np.int64)
    for week in range(weeks):
        days = slice(first + week * 7, first + week * 7 + 7)
        worth = float(factor[days].sum())
        seen = (use[:, days] * (factor[days] > 0)).sum(axis=1)
        expected = rate * worth
        variance = phi * expected * (1 + worth / safe) + (WANDERING * expected) ** 2
        off = np.divide(
            seen - expected, np.sqrt(variance), out=np.zeros(customers), where=variance > 0
        )
        height = np.maximum(0.0, height - off - drift)
        age = np.where(height > 0, age + 1, 0)
    last = slice(count - 28, count)
    worth = float(factor[last].sum())
    now = (use[:, last] * (factor[last] > 0)).sum(axis=1) / max(worth, 1e-9)
    is_due = is_known & (rate * 10 >= DropRule.min_expected)  # ten effective days are a fortnight
    return Slides(
        height=np.where(is_known, height, np.nan),
        weeks=age,
        rate_before=rate,
        rate_now=np.where(is_known, now, np.nan),
        is_sliding=is_due & (height >= h) & (now < rate),
    )


@dataclass(frozen=True)
class Comparison:
    """Recent days against the baseline; nan where it cannot be said."""

    z: Floats
    ratio: Floats
    observed: Floats
    expected: Floats
    rate_before: Floats
    rate_now: Floats


def is_low(found: Comparison, rule: DropRule) -> Flags:
    """One evaluation alone."""
    return (found.z < rule.z) & (found.ratio < rule.ratio) & (found.expected >= rule.min_expected)


def is_confirmed(now: Comparison, before: Comparison, rule: DropRule) -> Flags:
    """Low now and at the evaluation before, or so low that one is enough."""
    low = is_low(now, rule)
    return (low & is_low(before, rule)) | (low & (now.z < rule.strong_z))


# day-to-day scatter of use over what chance alone would give: a customer's own is trusted as much
# as this many days of everybody's
SCATTER_DAYS = 40.0
# of the rate itself: use wanders by itself from fortnight to fortnight (share of the rate), chosen
# on simulated worlds of other seeds than those that `gengyun bench alerts` reports
WANDERING = 0.15


def compare(use: npt.NDArray[np.generic], factor: Floats, recent: int, baseline: int) -> Comparison:
    """Two windows of the own use, per effective day.

    Under no change the difference of the recent count o and e = rate x effective days has variance
    phi e (1 + E_recent / E_baseline) + (w e)^2: chance with over-dispersion phi (of the customer's
    own days, shrunk to that of all), the same for the estimated rate, and the wandering w of rates.
    """
    customers, count = use.shape
    if count < recent + baseline // 2:
        nothing = np.full(customers, np.nan)
        return Comparison(*(nothing.copy() for _ in range(6)))
    first = max(0, count - recent - baseline)
    counts = (factor > 0).astype(np.float64)
    window = use[:, first:].astype(np.float64) * counts[first:]
    worth = factor[first:]
    split = window.shape[1] - recent
    began = np.where(window.any(axis=1), (window > 0).argmax(axis=1), window.shape[1])
    if first:
        began = np.where(use[:, :first].any(axis=1), 0, began)
    heaped = np.concatenate([[0.0], np.cumsum(worth)])
    effective_before = heaped[split] - heaped[np.minimum(began, split)]
    effective_now = float(worth[split:].sum())
    is_known = (split - began >= baseline // 2) & (effective_before > 0) & (effective_now > 0)
    before, observed = window[:, :split].sum(axis=1), window[:, split:].sum(axis=1)
    safe = np.where(is_known, effective_before, 1.0)
    rate = np.where(is_known, before / safe, np.nan)
    expected = rate * effective_now
    phi = _scatter(window[:, :split], worth[:split], rate, began)
    variance = phi * expected * (1 + effective_now / safe) + (WANDERING * expected) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(expected > 0, (observed - expected) / np.sqrt(variance), np.nan)
        ratio = np.where(expected > 0, observed / expected, np.nan)
    return Comparison(
        z=z,
        ratio=ratio,
        observed=np.where(is_known, observed, np.nan),
        expected=expected,
        rate_before=rate,
        rate_now=np.where(is_known, observed / max(effective_now, 1e-9), np.nan),
    )


def _scatter(window: Floats, worth: Floats, rate: Floats, began: npt.NDArray[np.int64]) -> Floats:
    """Over-dispersion of the days of the baseline (Pearson), at least 1, shrunk to the middle of
    all customers."""
    mean = np.nan_to_num(rate)[:, None] * worth
    inside = (mean > 0) & (np.arange(window.shape[1]) >= began[:, None])
    squares = np.where(inside, (window - mean) ** 2 / np.where(inside, mean, 1.0), 0.0)
    days = inside.sum(axis=1)
    own = squares.sum(axis=1) / np.maximum(days - 1, 1)
    usual = days >= 20
    middle = float(np.median(own[usual])) if usual.any() else 1.0
    shrunk = (own * days + middle * SCATTER_DAYS) / (days + SCATTER_DAYS)
    return np.asarray(np.maximum(shrunk, 1.0))
