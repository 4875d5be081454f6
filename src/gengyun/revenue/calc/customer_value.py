"""What one customer is worth from today on: expected contribution, discounted (science.md 4.6).

LTV = sum over the coming payments of (margin - cost to serve) x amount x chance that it comes,
divided by (1 + r)^years. What the running term still has to pay comes for certain; whether the next
renewal comes is the customer's own churn probability; the renewals behind it follow the shifted
beta-geometric curve of its kind given how many it has passed (Fader & Hardie 2007): retention at
renewal n+1 = (beta + n) / (alpha + beta + n). Payments are yearly and in advance.

Drawn, not summed once: each draw takes a probability and a curve that what was seen leaves
possible, so that the interval says how well the expectation is known. It is not the spread of what
will come: one customer stays or leaves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gengyun.revenue.calc.renewal_odds import Floats, Ints, expit

DRAWS = 64
SHOWN_YEARS, MAX_YEARS = 3, 10
DISCOUNT = 0.10  # a year: an assumption, the same as of a cohort's LTV
Z80 = 1.2815515655446004
TINY = 1e-12
STEADY = 1e6  # renewals that a constant retention counts for: n more change nothing
GROWTH_LOW, GROWTH_HIGH = 0.8, 1.2  # of an amount at one renewal; outliers do not compound
DEFINITION = (
    "LTV of a customer: what its contracts are expected to pay in the coming 3 years, less the "
    "cost of delivery and of serving, times the chance that it comes, discounted."
)


@dataclass(frozen=True)
class Coming:
    """Open renewals, one a row; amounts in any one unit a year."""

    due_in: Floats  # years from today; what is past due counts as today
    term: Ints  # years for which it renews, at least 1
    arr: Floats
    passed: Ints  # renewals that this customer has passed before
    lost: Floats  # chance that the next one does not come
    spread: Floats  # standard deviation of its logit
    kind: Ints  # row of the curves and of the growth

    def __len__(self) -> int:
        return len(self.due_in)


@dataclass(frozen=True)
class Kinds:
    """What is believed of each kind of customer: the company, or one of its tiers."""

    alpha: Floats  # [kind, draw]
    beta: Floats
    growth: Floats  # [kind]: new amount over old, of those who renew


@dataclass(frozen=True)
class Terms:
    margin: float  # share of the amount that is left after delivery
    cost: float  # share of the amount that serving costs
    discount: float = DISCOUNT

    @property
    def kept(self) -> float:
        return self.margin - self.cost


def spread_of(low: Floats, high: Floats) -> Floats:
    """Standard deviation of the logit whose 80 % interval this is; 0 where it is not known."""
    inside = [np.clip(edge, 1e-4, 1 - 1e-4) for edge in (low, high)]
    width = np.log(inside[1] / (1 - inside[1])) - np.log(inside[0] / (1 - inside[0]))
    found: Floats = np.where(np.isnan(width), 0.0, np.maximum(width, 0.0)) / (2 * Z80)
    return found


def spread_of_rate(alpha: Floats, beta: Floats) -> Floats:
    """The same of a rate that is believed to be Beta(alpha, beta): the delta method."""
    mean = alpha / (alpha + beta)
    return np.asarray(1 / np.sqrt(mean * (1 - mean) * (alpha + beta + 1)))


def steady(retention: float) -> tuple[float, float]:
    """alpha and beta of a curve that stays at one retention: where none could be fitted."""
    return STEADY * (1 - retention), STEADY * retention


def values(coming: Coming, kinds: Kinds, terms: Terms, *, years: int) -> Floats:
    """[renewal, draw]: what each is worth within `years`, in the unit of `arr`."""
    draws = kinds.alpha.shape[1]
    normal = _normals(draws)
    lost = np.clip(coming.lost, 1e-6, 1 - 1e-6)
    logit = np.log(lost / (1 - lost))[:, None] + coming.spread[:, None] * normal
    alive = 1 - expit(logit)
    alpha, beta = kinds.alpha[coming.kind], kinds.beta[coming.kind]
    growth = np.clip(kinds.growth, GROWTH_LOW, GROWTH_HIGH)[coming.kind]
    due_in = np.maximum(coming.due_in, 0.0)
    amount = coming.arr * growth
    total = np.repeat(_certain(coming, due_in, terms, years)[:, None], draws, axis=1)
    passed = coming.passed.astype(np.float64)[:, None]
    for year in range(years):
        renews = (year > 0) & (year % coming.term == 0)
        after = passed + year // coming.term[:, None]
        among = np.maximum(alpha + beta + after, TINY)
        stays = np.where(renews[:, None], (beta + after) / among, 1.0)
        alive = alive * stays
        amount = np.where(renews, amount * growth, amount)
        when = due_in + year
        paid = amount * terms.kept / (1 + terms.discount) ** when
        total += np.where(when < years, paid, 0.0)[:, None] * alive
    return total


def _certain(coming: Coming, due_in: Floats, terms: Terms, years: int) -> Floats:
    """Payments of the running term: at each anniversary before the due day."""
    total = np.zeros(len(coming))
    for back in range(1, int(np.ceil(due_in.max(initial=0.0))) + 1):
        when = due_in - back
        counts = (when > 0) & (when < years)
        paid = coming.arr * terms.kept / (1 + terms.discount) ** np.maximum(when, 0.0)
        total += np.where(counts, paid, 0.0)
    return total


def _normals(count: int) -> Floats:
    """Evenly spread standard normals in a fixed, mixed order: each draw meets another curve."""
    at = (np.arange(count) + 0.5) / count
    order = np.random.default_rng(1).permutation(count)
    found: Floats = _quantile(at)[order]
    return found


def _quantile(at: Floats) -> Floats:
    """Of the standard normal, by the logistic approximation of Bowling and others (2009) refined
    by one Newton step; exact to 1e-3, which is far below what is known of a probability."""
    from math import erf, exp, pi, sqrt

    found = np.log(at / (1 - at)) / 1.702
    for _ in range(3):
        cdf = np.array([0.5 * (1 + erf(x / sqrt(2))) for x in found])
        density = np.array([exp(-x * x / 2) / sqrt(2 * pi) for x in found])
        found = found - (cdf - at) / density
    return np.asarray(found)


Worth = npt.NDArray[np.float64]


def summed(rows: Floats, owner: Ints, count: int) -> tuple[Worth, Worth, Worth]:
    """Of each owner: mean, and the 80 % interval of the expectation, over the draws."""
    total = np.zeros((count, rows.shape[1]))
    np.add.at(total, owner, rows)
    low, high = np.quantile(total, (0.1, 0.9), axis=1) if count else (np.zeros(0), np.zeros(0))
    return total.mean(axis=1), low, high
