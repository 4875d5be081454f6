"""How good probabilities are: order (AUC, average precision, lift), truth (Brier, ECE, slope), and
the interval of each by drawing whole accounts again.

Rows must be decided (y 0 or 1). A figure that cannot be told, such as an AUC of one class, is nan.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.logistic import expit, log_loss, logit_of, posterior, with_intercept
from gengyun.churn.calc.measures import tied_bins
from gengyun.churn.calc.table import Floats, Ints

BINS = 10
Score = Callable[[Floats, Floats], float]


def auc(y: Floats, p: Floats) -> float:
    """The share of pairs of a lost and a kept one in the right order; ties count half
    (Mann & Whitney 1947)."""
    lost = int((y == 1).sum())
    kept = len(y) - lost
    if not lost or not kept:
        return float("nan")
    return float((_ranks(p)[y == 1].sum() - lost * (lost + 1) / 2) / (lost * kept))


def average_precision(y: Floats, p: Floats) -> float:
    """Sum over the thresholds of precision x what recall gains there; equal p are one threshold."""
    if not (y == 1).any():
        return float("nan")
    order = np.argsort(-p, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(p[order])), len(p) - 1)
    hits = np.cumsum(y[order])[ends]
    gained = np.diff(hits, prepend=0.0) / hits[-1]
    return float(np.sum(gained * hits / (ends + 1)))


def brier(y: Floats, p: Floats) -> float:
    return float(np.mean((p - y) ** 2)) if len(y) else float("nan")


def mean_log_loss(y: Floats, p: Floats) -> float:
    return float(log_loss(logit_of(p), y).mean()) if len(y) else float("nan")


def skill(y: Floats, p: Floats, base: float | Floats | None = None) -> float:
    """1 - Brier / Brier of saying `base` of everyone; None: the rate of these very rows."""
    told = np.broadcast_to(
        np.asarray(y.mean() if base is None else base, dtype=np.float64), y.shape
    )
    worst = brier(y, told)
    return 1 - brier(y, p) / worst if worst > 0 else float("nan")


def ece(y: Floats, p: Floats, bins: int = BINS) -> float:
    """Expected calibration error: over `bins` of equal size, the gap of told and come, averaged."""
    found = reliability(y, p, bins)
    return float(np.sum(found.rows * np.abs(found.told - found.came)) / max(found.rows.sum(), 1))


def slope_intercept(y: Floats, p: Floats) -> tuple[float, float]:
    """Of a logistic regression of y on the logit of p (Cox 1958): 1 and 0 when calibrated.

    The intercept is that of the slope 1 (calibration in the large).
    """
    if len(np.unique(y)) < 2:
        return float("nan"), float("nan")
    told = logit_of(p)
    slope = _map(told, y)[1] if told.std() > 1e-9 else float("nan")
    return float(slope), _offset(told, y)


def lift(y: Floats, p: Floats, share: float = 0.1) -> float:
    """How many times more were lost among the `share` most at risk than among all. Equal p at the
    border count by their mean."""
    if not len(y) or not y.sum():
        return float("nan")
    return float(_top_hits(y, p, share) / (y.mean() * max(round(share * len(y)), 1)))


def recall_of_top(y: Floats, p: Floats, share: float = 0.2) -> float:
    """The part of the losses that the `share` most at risk hold."""
    return float(_top_hits(y, p, share) / y.sum()) if y.sum() else float("nan")


@dataclass(frozen=True)
class Reliability:
    """By bins of like size, in order of p: what was told, what came, and its 95 % band."""

    rows: Ints
    told: Floats
    came: Floats
    low: Floats
    high: Floats


def reliability(y: Floats, p: Floats, bins: int = BINS) -> Reliability:
    """Bands: Wilson 1927. Fewer bins when there are fewer rows than that, or many of equal p,
    which stay together."""
    sizes = [len(part) for part in np.array_split(p, min(bins, max(len(p), 1)))]
    place = tied_bins(p, np.cumsum(sizes)[:-1].astype(np.float64))
    rows = np.bincount(place).astype(np.int64)
    told = np.bincount(place, weights=p) / rows
    came = np.bincount(place, weights=y) / rows
    low, high = wilson(came, rows)
    return Reliability(rows, told, came, low, high)


def wilson(share: Floats, rows: Ints, z: float = 1.96) -> tuple[Floats, Floats]:
    """The interval of a share (Wilson 1927)."""
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    reach = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return middle - reach, middle + reach


SCORES: Mapping[str, Score] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "log_loss": mean_log_loss,
    "ece": ece,
    "skill": skill,
    "lift_10": lambda y, p: lift(y, p, 0.1),
    "lift_20": lambda y, p: lift(y, p, 0.2),
    "slope": lambda y, p: slope_intercept(y, p)[0],
    "intercept": lambda y, p: slope_intercept(y, p)[1],
}


def all_scores(y: Floats, p: Floats) -> dict[str, float]:
    return {name: score(y, p) for name, score in SCORES.items()}


def bootstrap(
    score: Callable[[Ints], float],
    account: Ints,
    *,
    draws: int = 200,
    level: float = 0.95,
    seed: int = 1,
) -> tuple[float, float]:
    """The interval of `score(rows)` when whole accounts are drawn again with replacement."""
    order = np.argsort(account, kind="stable")
    _, starts = np.unique(account[order], return_index=True)
    members = np.split(order, starts[1:])
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(0, len(members), len(members))
        found.append(score(np.concatenate([members[at] for at in drawn])))
    values = np.array(found)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_gain(loss: Floats, other: Floats, account: Ints) -> tuple[float, float]:
    """Mean of `other` - `loss` per row, and its standard error with accounts as the unit."""
    gap = other - loss
    _, place = np.unique(account, return_inverse=True)
    sums = np.bincount(place, weights=gap - gap.mean())
    groups = len(sums)
    if groups < 2:
        return float(gap.mean()), float("inf")
    error = np.sqrt(np.sum(sums**2) * groups / (groups - 1)) / len(gap)
    return float(gap.mean()), float(error)


def _top_hits(y: Floats, p: Floats, share: float) -> float:
    count = max(round(share * len(y)), 1)
    border = np.sort(p)[::-1][count - 1]
    above, at = p > border, p == border
    return float(y[above].sum() + (count - above.sum()) * y[at].mean())


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[place]
    return ranks


def _map(told: Floats, y: Floats) -> Floats:
    x = with_intercept(told[:, None])
    return posterior(x, y, np.array([0.0, 1.0]), np.array([1e-6, 1e-6])).beta


def _offset(told: Floats, y: Floats) -> float:
    """The shift of all logits at which as many are told as came."""
    low, high = -15.0, 15.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(told + middle).mean() < y.mean() else (low, middle)
    return (low + high) / 2
