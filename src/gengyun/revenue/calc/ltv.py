"""Lifetime value from a fitted curve: the shifted beta-geometric (sBG) of renewals.

Each customer renews with a constant probability of its own; these probabilities follow a beta
distribution over the customers. So those who stay long are those who were likely to, and the
cohort's retention rises with every renewal. Source: Fader & Hardie, "How to project customer
retention", Journal of Interactive Marketing 21 (2007).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gengyun.revenue.calc.figure import (
    ALL_LEFT,
    NO_CHURN,
    NOT_SURVIVORS,
    TOO_FEW_DATES,
    TOO_SMALL,
    Figure,
    known,
    unknown,
)

DEFINITION = (
    "LTV of a cohort: gross profit of the coming years, discounted, times the chance to be still a "
    "customer by the sBG curve fitted to its renewals."
)
MIN_CUSTOMERS = 30
MIN_DATES = 3  # renewal dates that have been observed
MAX_YEARS, SHOWN_YEARS = 10, 3
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """The beta distribution of the probability to leave at a renewal: mean alpha/(alpha+beta)."""

    alpha: float
    beta: float
    log_likelihood: float
    customers: int

    def retention(self, renewal: int) -> float:
        """Share that renews at the renewal of this number (from 1) of those who reached it."""
        return (self.beta + renewal - 1) / (self.alpha + self.beta + renewal - 1)

    def survival(self, renewals: int, *, survived: int = 0) -> float:
        """Chance to pass this many further renewals, having passed `survived`."""
        chance = 1.0
        for number in range(survived + 1, survived + renewals + 1):
            chance *= self.retention(number)
        return chance


def fit_sbg(survivors: Sequence[int]) -> Fit:
    """By maximum likelihood. survivors[0] began; survivors[t] were left after t renewals.

    Raises ValueError when nobody left or nobody stayed: then no curve is better than another.
    """
    lost = [before - after for before, after in pairwise(survivors)]
    if any(number < 0 for number in lost):
        raise ValueError("survivors must not rise")
    return fit_sbg_spells(
        {t: number for t, number in enumerate(lost, 1) if number},
        {len(lost): survivors[-1]} if survivors[-1] else {},
    )


def fit_sbg_spells(left: dict[int, int], staying: dict[int, int]) -> Fit:
    """`left`: how many left at their t-th renewal; `staying`: how many have passed t and are there.

    Customers may have begun at different times: those who stay are censored where they are.
    """
    if not sum(left.values()) or not sum(count * t for t, count in _passed(left, staying)):
        raise ValueError("nobody left, or nobody renewed")

    def loss(point: Floats) -> float:
        return -_log_likelihood(math.exp(point[0]), math.exp(point[1]), left, staying)

    best = _minimise(loss, np.array([0.0, 0.0]))
    alpha, beta = math.exp(best[0]), math.exp(best[1])
    return Fit(
        alpha=alpha,
        beta=beta,
        log_likelihood=_log_likelihood(alpha, beta, left, staying),
        customers=sum(left.values()) + sum(staying.values()),
    )


def _passed(left: dict[int, int], staying: dict[int, int]) -> list[tuple[int, int]]:
    """(renewals passed, customers)."""
    return [(t - 1, count) for t, count in left.items()] + list(staying.items())


def _log_likelihood(
    alpha: float, beta: float, left: dict[int, int], staying: dict[int, int]
) -> float:
    """P(T=1) = a/(a+b); P(T=t) = P(T=t-1) (b+t-2)/(a+b+t-1); S(t) = S(t-1) (b+t-1)/(a+b+t-1)."""
    longest = max([*left, *staying])
    log_left = math.log(alpha / (alpha + beta))
    log_stay = math.log(beta / (alpha + beta))
    total = left.get(1, 0) * log_left + staying.get(1, 0) * log_stay
    for t in range(2, longest + 1):
        log_left += math.log((beta + t - 2) / (alpha + beta + t - 1))
        log_stay += math.log((beta + t - 1) / (alpha + beta + t - 1))
        total += left.get(t, 0) * log_left + staying.get(t, 0) * log_stay
    return total


def _minimise(loss: Callable[[Floats], float], start: Floats) -> Floats:
    """Nelder-Mead in the plane of the logarithms, kept within +-12 of them."""

    def bounded(point: Floats) -> float:
        return loss(point) if bool((np.abs(point) < 12).all()) else math.inf

    corners = [start, start + np.array([0.5, 0.0]), start + np.array([0.0, 0.5])]
    values = [bounded(point) for point in corners]
    for _ in range(1_000):
        order = sorted(range(3), key=values.__getitem__)
        corners, values = [corners[i] for i in order], [values[i] for i in order]
        if abs(values[2] - values[0]) < 1e-12 and float(np.ptp(corners, axis=0).max()) < 1e-9:
            break
        middle = (corners[0] + corners[1]) / 2
        away = middle - corners[2]
        tries = [middle + factor * away for factor in (1.0, 2.0, 0.5, -0.5)]
        found = [bounded(point) for point in tries]
        pick = 1 if found[0] < values[0] and found[1] < found[0] else 0
        if found[pick] >= values[1]:
            pick = 2 if found[2] < found[3] else 3
        if found[pick] < values[2]:
            corners[2], values[2] = tries[pick], found[pick]
        else:
            corners = [corners[0], *((corners[0] + point) / 2 for point in corners[1:])]
            values = [values[0], *(bounded(point) for point in corners[1:])]
    best: Floats = corners[0]
    return best


@dataclass(frozen=True, slots=True)
class Lifetime:
    """LTV of an average customer of the cohort, in the unit of the ARR put in, and its range."""

    shown: Figure  # of SHOWN_YEARS
    capped: Figure  # of MAX_YEARS
    low: float | None  # 80 % interval of `shown`, from the likelihood
    high: float | None
    fit: Fit | None


def cohort_ltv(
    survivors: Sequence[int], *, arr: float, margin: float, discount: float = 0.1
) -> Lifetime:
    """Years are terms: one renewal a year, paid at the beginning of each.

    Refuses cohorts under MIN_CUSTOMERS or with fewer than MIN_DATES observed renewal dates, and
    those of which nobody left or nobody stayed.
    """
    began = survivors[0] if survivors else 0
    if began < MIN_CUSTOMERS:
        return _none(TOO_SMALL, {"count": began, "needed": MIN_CUSTOMERS})
    if len(survivors) - 1 < MIN_DATES:
        return _none(TOO_FEW_DATES, {"count": len(survivors) - 1, "needed": MIN_DATES})
    if reason := _no_curve(survivors):
        return _none(reason, {})
    fit = fit_sbg(survivors)

    def worth(model: Fit, years: int) -> float:
        return ltv_of(model, arr=arr, margin=margin, discount=discount, years=years)

    low, high = _interval(fit, survivors, lambda model: worth(model, SHOWN_YEARS))
    return Lifetime(
        shown=known(worth(fit, SHOWN_YEARS), definition=DEFINITION, unit="money"),
        capped=known(worth(fit, MAX_YEARS), definition=DEFINITION, unit="money"),
        low=low,
        high=high,
        fit=fit,
    )


def _no_curve(survivors: Sequence[int]) -> str:
    """Why no curve can be fitted; nothing where one can."""
    if survivors[-1] < 0 or any(after > before for before, after in pairwise(survivors)):
        return NOT_SURVIVORS
    if survivors[-1] == survivors[0]:
        return NO_CHURN
    return "" if survivors[1] else ALL_LEFT


def _none(reason: str, params: dict[str, object]) -> Lifetime:
    figure = unknown(reason, definition=DEFINITION, unit="money", params=params)
    return Lifetime(shown=figure, capped=figure, low=None, high=None, fit=None)


def ltv_of(
    fit: Fit, *, arr: float, margin: float, discount: float, years: int, survived: int = 0
) -> float:
    """Sum over the years of margin x ARR x S(t) / (1 + r)^t, the first year paid now."""
    return sum(
        margin * arr * fit.survival(year, survived=survived) / (1 + discount) ** year
        for year in range(years)
    )


def _interval(
    fit: Fit, survivors: Sequence[int], worth: Callable[[Fit], float]
) -> tuple[float, float]:
    """80 % interval over (log alpha, log beta), flat a priori, weighted by the likelihood."""
    lost = [before - after for before, after in pairwise(survivors)]
    left = {t: number for t, number in enumerate(lost, 1) if number}
    staying = {len(lost): survivors[-1]} if survivors[-1] else {}
    steps = np.linspace(-2.5, 2.5, 41)
    found: list[tuple[float, float]] = []
    for a in steps:
        for b in steps:
            alpha, beta = fit.alpha * math.exp(a), fit.beta * math.exp(b)
            gap = _log_likelihood(alpha, beta, left, staying) - fit.log_likelihood
            if gap > -12:
                found.append((worth(Fit(alpha, beta, 0.0, fit.customers)), math.exp(gap)))
    found.sort()
    weights = np.cumsum([weight for _, weight in found])
    places = np.searchsorted(weights, [0.1 * weights[-1], 0.9 * weights[-1]])
    return found[int(places[0])][0], found[int(places[1])][0]


def posterior(
    fit: Fit, left: dict[int, int], staying: dict[int, int], count: int
) -> list[tuple[float, float]]:
    """`count` pairs (alpha, beta) that the lives leave possible, as likely ones as often: every so
    many of the cumulated likelihood over (log alpha, log beta), flat a priori."""
    steps = np.linspace(-2.5, 2.5, 41)
    found: list[tuple[float, float, float]] = []
    for a in steps:
        for b in steps:
            alpha, beta = fit.alpha * math.exp(a), fit.beta * math.exp(b)
            gap = _log_likelihood(alpha, beta, left, staying) - fit.log_likelihood
            if gap > -12:
                found.append((alpha / (alpha + beta), alpha, math.exp(gap)))
    found.sort()  # by the first churn, so that the draws cover it evenly
    weights = np.cumsum([weight for _, _, weight in found])
    places = np.searchsorted(weights, (np.arange(count) + 0.5) / count * weights[-1])
    return [(found[int(at)][1], found[int(at)][1] * (1 / found[int(at)][0] - 1)) for at in places]


def kaplan_meier(durations: Sequence[int], left: Sequence[bool]) -> list[tuple[int, float]]:
    """(time, share still there) at each time somebody left; no curve is assumed.

    Source: Kaplan & Meier 1958. `left` False: still a customer when last seen.
    """
    found, share = [], 1.0
    for time in sorted({when for when, gone in zip(durations, left, strict=True) if gone}):
        at_risk = sum(1 for when in durations if when >= time)
        gone = sum(1 for when, g in zip(durations, left, strict=True) if g and when == time)
        share *= 1 - gone / at_risk
        found.append((time, share))
    return found
