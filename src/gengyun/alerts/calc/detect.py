"""Detectors over use per customer and day. Pure numpy, all customers at once.

Everywhere `usage` is [customers, days] (events or active users), its last column the day before the
day that is judged, and `calendar` the effective days of the same columns (`calendar.learn`), 0 for
days that count for nobody. Rates are per effective day, so that weekends, holidays, 调休 and
outages move nothing (science.md 5). Where industries have calendars of their own, `calendar` is
[groups, days] and `groups` says which row is each customer's.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

RECENT, BASELINE = 14, 84  # days
DAYS_NEEDED = 182  # of history: both windows, the week before, and what the calendar learns from


@dataclass(frozen=True)
class DropRule:
    """R1 of science.md 5.3: z below `z` and use below `ratio` of its own usual, twice a week apart,
    or once below `strong_z`; only where at least `min_expected` were due.

    The two marks of z are those of science.md (-3, -5) moved to a z that also holds the wandering
    of rates: found on simulated worlds of seeds above 100, and moved once more after a look at
    seeds 1-4 (docs/alerts.md).
    """

    z: float = -2.5
    strong_z: float = -4.5
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
    active_days_before: Ints
    last_active: Ints  # column of `usage`; -1: never
    longest_pause: Floats  # effective days between days with use; nan where nobody asked
    is_dormant: Flags


def usage_drop(
    usage: npt.ArrayLike,
    calendar: npt.ArrayLike,
    rule: DropRule | None = None,
    *,
    groups: Ints | None = None,
    recent: int = RECENT,
    baseline: int = BASELINE,
    confirm_after: int = 7,
) -> Drops:
    """z of the last `recent` days against the `baseline` days before them."""
    rule = rule or DropRule()
    use = np.asarray(usage)
    factor = np.atleast_2d(np.asarray(calendar, dtype=np.float64))
    now = compare(use, factor, groups, recent=recent, baseline=baseline)
    earlier, then = use[:, :-confirm_after], factor[:, :-confirm_after]
    before = compare(earlier, then, groups, recent=recent, baseline=baseline)
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
    own_pause: float = 1.5,
    active_days_before: npt.ArrayLike | None = None,
    groups: Ints | None = None,
) -> Dormant:
    """No use in `silent_days` effective days after at least `active_days` days with use, and in
    `own_pause` times the longest pause that this customer made before in the window (0: whatever
    its rhythm).

    `active_days_before`: days with use that lie before the first column, where they are known.
    """
    use = np.asarray(usage)
    factor = np.atleast_2d(np.asarray(calendar, dtype=np.float64))
    count = use.shape[1]
    mine = _rows(groups, use.shape[0])
    is_used = use > 0
    days = is_used.sum(axis=1).astype(np.int64)
    if active_days_before is not None:
        days = days + np.asarray(active_days_before, dtype=np.int64)
    ever = is_used.any(axis=1)
    last = np.where(ever, count - 1 - is_used[:, ::-1].argmax(axis=1), -1).astype(np.int64)
    heaped = _heaped(factor)
    silent = np.where(ever | (days > 0), heaped[mine, -1] - heaped[mine, last + 1], np.nan)
    is_quiet = (days >= active_days) & (silent >= silent_days)
    pause = np.full(use.shape[0], np.nan)
    pause[is_quiet] = _longest_pause(is_used[is_quiet], heaped, mine[is_quiet])
    return Dormant(
        effective_days=silent,
        active_days_before=days,
        last_active=last,
        longest_pause=pause,
        is_dormant=is_quiet & (silent >= own_pause * np.nan_to_num(pause)),
    )


def _longest_pause(is_used: Flags, heaped: Floats, mine: Ints) -> Floats:
    """The most effective days without use between two days with use."""
    rows, columns = np.nonzero(is_used)
    longest = np.full(is_used.shape[0], np.nan)
    if len(rows) < 2:
        return longest
    same = rows[1:] == rows[:-1]
    owner, left, right = rows[1:][same], columns[:-1][same], columns[1:][same]
    pauses = heaped[mine[owner], right] - heaped[mine[owner], left + 1]
    longest[owner] = 0.0
    np.maximum.at(longest, owner, pauses)
    return longest


@dataclass(frozen=True)
class Slides:
    """The watch-list: weeks a little below the usual add up (CUSUM)."""

    height: Floats  # of the sum after the last week; nan where history is too short
    weeks: Ints  # since the sum left zero
    rate_before: Floats  # per effective day, in the reference weeks
    rate_now: Floats  # per effective day, in the last four weeks
    is_sliding: Flags


def slow_slide(
    usage: npt.ArrayLike,
    calendar: npt.ArrayLike,
    *,
    h: float = 4.0,
    drift: float = 0.5,
    groups: Ints | None = None,
) -> Slides:
    """Page's one-sided CUSUM over the last six weeks: S = max(0, S - r - drift), flagged from `h`.

    r is a week's use against the rate of the 84 days before the six weeks, in standard errors as in
    `usage_drop`. Finds twice the declines that drops find, with half the precision: a list to look
    at, no tickets (science.md 5.2; docs/alerts.md).
    """
    use = np.asarray(usage)
    factor = np.atleast_2d(np.asarray(calendar, dtype=np.float64))
    customers, count = use.shape
    mine = _rows(groups, customers)
    split = count - SLIDE_WEEKS * 7
    if split < BASELINE // 2:
        nothing = np.full(customers, np.nan)
        none = np.zeros(customers, dtype=np.bool_)
        return Slides(nothing, np.zeros(customers, np.int64), nothing, nothing.copy(), none)
    found = _baseline(use[:, :split], factor[:, :split], mine)
    rate = found.rate
    counts = np.atleast_1d((factor > 0).all(axis=0))
    height, age = np.zeros(customers), np.zeros(customers, dtype=np.int64)
    for first in range(split, count, 7):
        days = slice(first, first + 7)
        worth = factor[:, days].sum(axis=1)[mine]
        seen = (use[:, days] * counts[days]).sum(axis=1)
        expected = rate * worth
        error = np.sqrt(_variance(expected, found.phi, worth / found.effective, SLIDE_WANDERING))
        off = np.divide(seen - expected, error, out=np.zeros(customers), where=expected > 0)
        height = np.maximum(0.0, height - off - drift)
        age = np.where(height > 0, age + 1, 0)
    last = slice(count - 28, count)
    worth = factor[:, last].sum(axis=1)[mine]
    now = (use[:, last] * counts[last]).sum(axis=1) / np.maximum(worth, 1e-9)
    is_due = rate * 10 >= DropRule.min_expected  # ten effective days are a fortnight
    is_known = ~np.isnan(rate)
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
SLIDE_WEEKS, SLIDE_WANDERING = 6, 0.20  # a week wanders more than a fortnight


def compare(
    use: npt.NDArray[np.generic],
    calendar: Floats,
    groups: Ints | None = None,
    *,
    recent: int = RECENT,
    baseline: int = BASELINE,
) -> Comparison:
    """Two windows of the own use, per effective day; z: their difference in standard errors."""
    customers, count = use.shape
    factor, mine = np.atleast_2d(calendar), _rows(groups, customers)
    split = count - recent
    if split < baseline // 2:
        nothing = np.full(customers, np.nan)
        return Comparison(*(nothing.copy() for _ in range(6)))
    found = _baseline(use[:, :split], factor[:, :split], mine, baseline)
    now = factor[:, split:]
    observed = (use[:, split:] * (now > 0).all(axis=0)).sum(axis=1).astype(np.float64)
    effective_now = now.sum(axis=1)[mine]
    rate = np.where(effective_now > 0, found.rate, np.nan)
    expected = rate * effective_now
    is_known = ~np.isnan(rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = effective_now / found.effective
        error = np.sqrt(_variance(expected, found.phi, share, WANDERING))
        z = np.where(expected > 0, (observed - expected) / error, np.nan)
        ratio = np.where(expected > 0, observed / expected, np.nan)
        rate_now = np.where(is_known, observed / effective_now, np.nan)
    return Comparison(
        z=z,
        ratio=ratio,
        observed=np.where(is_known, observed, np.nan),
        expected=expected,
        rate_before=rate,
        rate_now=rate_now,
    )


@dataclass(frozen=True)
class _Baseline:
    rate: Floats  # per effective day; nan: less than half of the days since the first use
    effective: Floats  # effective days it was estimated on; 1 where the rate is nan
    phi: Floats  # over-dispersion of the days


def _baseline(
    use: npt.NDArray[np.generic], factor: Floats, mine: Ints, days: int = BASELINE
) -> _Baseline:
    """The own rate in the last `days` columns, from the first use on."""
    first = max(0, use.shape[1] - days)
    worth = factor[:, first:]
    window = use[:, first:].astype(np.float64) * (worth > 0).all(axis=0)
    length = window.shape[1]
    began = np.where(window.any(axis=1), (window > 0).argmax(axis=1), length)
    if first:
        began = np.where(use[:, :first].any(axis=1), 0, began)
    heaped = _heaped(worth)
    effective = heaped[mine, length] - heaped[mine, began]
    is_known = (length - began >= days // 2) & (effective > 0)
    safe = np.where(is_known, effective, 1.0)
    rate = np.where(is_known, window.sum(axis=1) / safe, np.nan)
    return _Baseline(rate, safe, _scatter(window, worth, mine, rate, began))


def _variance(expected: Floats, phi: Floats, share: Floats, wandering: float) -> Floats:
    """Of observed - expected when nothing changed: phi e (1 + share) + (w e)^2.

    Chance with over-dispersion phi, the same for the rate that e was estimated from (`share`:
    effective days judged over effective days it was estimated on), and the wandering w of rates.
    """
    return np.asarray(phi * expected * (1 + share) + (wandering * expected) ** 2)


def _scatter(window: Floats, worth: Floats, mine: Ints, rate: Floats, began: Ints) -> Floats:
    """Over-dispersion of the days of the baseline (Pearson), at least 1, shrunk to the middle of
    all customers."""
    mean = np.nan_to_num(rate)[:, None] * worth[mine]
    inside = (mean > 0) & (np.arange(window.shape[1]) >= began[:, None])
    squares = np.where(inside, (window - mean) ** 2 / np.where(inside, mean, 1.0), 0.0)
    days = inside.sum(axis=1)
    own = squares.sum(axis=1) / np.maximum(days - 1, 1)
    usual = days >= 20
    middle = float(np.median(own[usual])) if usual.any() else 1.0
    shrunk = (own * days + middle * SCATTER_DAYS) / (days + SCATTER_DAYS)
    return np.asarray(np.maximum(shrunk, 1.0))


def _rows(groups: Ints | None, customers: int) -> Ints:
    """The calendar's row of each customer."""
    return np.zeros(customers, dtype=np.int64) if groups is None else groups


def _heaped(factor: Floats) -> Floats:
    """Sums up to each day, from 0: a window's sum is a difference."""
    return np.concatenate([np.zeros((factor.shape[0], 1)), np.cumsum(factor, axis=1)], axis=1)
