"""What an SOP does to its outcome: those worked on against those held out (science.md 7).

Intention to treat: everybody counts in the arm in which chance placed them, whatever they then
got. Differences are worked on less held out, in the unit of the outcome (a share: 0.01 is a point).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
ROPE = 0.01  # a difference of shares below it is none to anybody who pays for the work
ROPE_OF_SPREAD = 0.05  # of other outcomes: of the spread among those held out
GRID = 2_001
TAILS = 10.0  # standard deviations beyond which a posterior is nothing
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many had the outcome, of how many whose outcome is known."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        return self.hits / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float

    def turned(self) -> "Interval":
        return Interval(-self.value, -self.high, -self.low)

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Chances:
    """Posterior chance that the SOP is better than `rope`, within it, worse."""

    better: float
    same: float
    worse: float


def wilson(counted: Counted, *, level: float = LEVEL) -> tuple[float, float]:
    """Score interval of one share (Wilson 1927), without continuity correction."""
    z = NORMAL.inv_cdf(0.5 + level / 2)
    n, p = counted.n, counted.hits / counted.n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if counted.hits == 0 else max(0.0, middle - half)
    high = 1.0 if counted.hits == n else min(1.0, middle + half)
    return low, high


def newcombe(treat: Counted, holdout: Counted, *, level: float = LEVEL) -> Interval | None:
    """Difference of two shares with its hybrid score interval (Newcombe 1998, method 10).

    Right where one arm is small or all alike, unlike the usual one. None: an arm is empty.
    """
    if not treat.n or not holdout.n:
        return None
    p, q = treat.hits / treat.n, holdout.hits / holdout.n
    (low_p, high_p), (low_q, high_q) = wilson(treat, level=level), wilson(holdout, level=level)
    value = p - q
    return Interval(
        value,
        value - math.sqrt((p - low_p) ** 2 + (high_q - q) ** 2),
        value + math.sqrt((high_p - p) ** 2 + (q - low_q) ** 2),
    )


def share_variance(counted: Counted) -> float:
    """Variance of a share, drawn a little to one half (Agresti and Caffo 2000: one success and one
    failure more), so that an arm in which all are alike is not taken for certain."""
    p = (counted.hits + 1) / (counted.n + 2)
    return p * (1 - p) / (counted.n + 2)


def chances(
    treat: Counted, holdout: Counted, *, rope: float = ROPE, higher_is_better: bool = True
) -> Chances | None:
    """Beta-binomial posterior of the difference, flat prior Beta(1, 1) for each arm.

    P(p - q > r) = ∫ f(p) G(p - r) dp with f, g the posteriors of the arms. None: an arm is empty.
    """
    if not treat.n or not holdout.n:
        return None
    p, f = _posterior(treat)
    q, g = _posterior(holdout)
    reached = np.concatenate([[0.0], np.cumsum((g[1:] + g[:-1]) / 2 * np.diff(q))])
    reached /= reached[-1]

    def above(r: float) -> float:
        below = np.interp(p - r, q, reached, left=0.0, right=1.0)
        return float(np.clip(_area(p, f * below) / _area(p, f), 0, 1))

    more, less = above(rope), 1 - above(-rope)
    better, worse = (more, less) if higher_is_better else (less, more)
    return Chances(better, max(0.0, 1 - better - worse), worse)


def _posterior(counted: Counted) -> tuple[Floats, Floats]:
    """(grid, density up to a factor) of Beta(1 + hits, 1 + misses), where it is not nothing."""
    a, b = counted.hits + 1, counted.n - counted.hits + 1
    mean = a / (a + b)
    spread = math.sqrt(mean * (1 - mean) / (a + b + 1))
    grid = np.linspace(max(0.0, mean - TAILS * spread), min(1.0, mean + TAILS * spread), GRID)
    inside = np.clip(grid, 1e-300, 1 - 1e-16)
    log = (a - 1) * np.log(inside) + (b - 1) * np.log1p(-inside)
    density = np.exp(log - log.max())
    return grid, density


def _area(x: Floats, y: Floats) -> float:
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)))


def normal_chances(
    value: float, variance: float, *, rope: float, higher_is_better: bool = True
) -> Chances:
    """The same for a mean, or for a difference made more exact: normal, flat prior."""
    spread = math.sqrt(variance)
    if not spread:
        return Chances(float(value > rope), float(abs(value) <= rope), float(value < -rope))
    more, less = NORMAL.cdf((value - rope) / spread), NORMAL.cdf((-rope - value) / spread)
    better, worse = (more, less) if higher_is_better else (less, more)
    return Chances(better, max(0.0, 1 - better - worse), worse)


def normal_interval(value: float, variance: float, *, level: float = LEVEL) -> Interval:
    half = NORMAL.inv_cdf(0.5 + level / 2) * math.sqrt(variance)
    return Interval(value, value - half, value + half)


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units of one currency. `kept`: what the difference is worth on what was due."""

    kept: Interval
    cost: int
    net: Interval


def money(effect: Interval, *, amount_minor: int, cost_minor: int, worked_on: int) -> Money:
    """Δp x amount − cost. `effect`: on the share renewed; `amount_minor`: what came due among those
    worked on; `cost_minor`: of one run."""
    cost = cost_minor * worked_on
    kept = Interval(*(part * amount_minor for part in (effect.value, effect.low, effect.high)))
    net = Interval(kept.value - cost, kept.low - cost, kept.high - cost)
    return Money(kept, cost, net)
