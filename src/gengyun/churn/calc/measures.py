"""How good probabilities were, with intervals by resampling whole accounts. Pure.

Every function takes weights as a matrix [samples, rows]: its first row is the data as it is (all
ones, or amounts), the others are bootstrap samples of accounts (how often each was drawn, times the
amount). So one pass gives the figure and its interval, and differences between two methods are
taken on the same samples. The figures themselves: science.md 4.3, "Backtest report".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.table import Floats, Ints
from gengyun.revenue.calc.accuracy import wilson

LEVEL = 95  # percent of the samples inside an interval
MOST_EMPTY = 0.2  # share of samples without a figure from which there is no interval
TINY = 1e-6  # probabilities are held inside [TINY, 1 - TINY] where a logarithm is taken
NEWTON_STEPS = 25


@dataclass(frozen=True)
class Figure:
    """A value with its 95% interval; nan: it cannot be computed."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    def to_json(self) -> dict[str, float | None]:
        return {name: shortened(getattr(self, name)) for name in ("value", "low", "high")}


def shortened(value: float) -> float | None:
    """Four digits, and None for unknown, as JSON holds it."""
    return round(float(value), 4) if np.isfinite(value) else None


def resampled(account: Ints, *, draws: int, seed: int, weight: Floats | None = None) -> Floats:
    """Weights [1 + draws, rows]: rows of an account are drawn together or not at all."""
    _, code = np.unique(account, return_inverse=True)
    count = int(code.max()) + 1 if len(code) else 0
    plain = np.ones(len(account)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not count or not draws:
        return plain[None, :]
    rng = np.random.default_rng(seed)
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    return np.vstack([plain, times[:, code] * plain])


def figure(values: Floats) -> Figure:
    """First value with the interval of the rest (percentiles of the bootstrap)."""
    rest = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return Figure(float("nan"))
    if not len(rest) or len(rest) < (1 - MOST_EMPTY) * (len(values) - 1):
        return Figure(float(values[0]))
    low, high = np.percentile(rest, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return Figure(float(values[0]), float(low), float(high))


def _tied(p: Floats) -> tuple[Ints, Ints]:
    """(order from the highest p down, where each group of equal p begins in it)"""
    order = np.argsort(-p, kind="stable")
    down = p[order]
    starts = np.flatnonzero(np.concatenate([[True], down[1:] != down[:-1]]))
    return order, starts


def _by_group(y: Floats, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of lost and of kept, [samples, groups of equal p], highest p first."""
    order, starts = _tied(p)
    w, lost = weights[:, order], y[order]
    return (
        np.add.reduceat(w * lost, starts, axis=1),
        np.add.reduceat(w * (1 - lost), starts, axis=1),
    )


def auc(y: Floats, p: Floats, weights: Floats) -> Floats:
    """The chance that a lost one stands above a kept one; ties count half (Mann-Whitney)."""
    if not len(y):
        return np.full(len(weights), np.nan)
    lost, kept = _by_group(y, p, weights)
    below = kept.sum(axis=1, keepdims=True) - np.cumsum(kept, axis=1)
    pairs = (lost * (below + kept / 2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(pairs / (lost.sum(axis=1) * kept.sum(axis=1)))


def average_precision(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Area under precision over recall, by steps; ties enter together."""
    if not len(y):
        return np.full(len(weights), np.nan)
    lost, kept = _by_group(y, p, weights)
    caught, shown = np.cumsum(lost, axis=1), np.cumsum(lost + kept, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(shown > 0, caught / shown, 0.0)
        return np.asarray((lost * precision).sum(axis=1) / lost.sum(axis=1))


def top_share(y: Floats, p: Floats, weights: Floats, share: float) -> tuple[Floats, Floats]:
    """(lost among the `share` with the highest p, share of all lost that are in it).

    Among equals at the edge the expected part is taken. Lift is the first over the overall rate.
    """
    if not len(y):
        nothing = np.full(len(weights), np.nan)
        return nothing, nothing
    lost, kept = _by_group(y, p, weights)
    none = np.zeros((len(weights), 1))
    caught = np.hstack([none, np.cumsum(lost, axis=1)])
    shown = np.hstack([none, np.cumsum(lost + kept, axis=1)])
    taken = share * shown[:, -1]
    inside = np.array([np.interp(t, s, c) for t, s, c in zip(taken, shown, caught, strict=True)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return inside / taken, inside / caught[:, -1]


def brier(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Mean squared distance of the probability from what came (Brier)."""
    return _mean((p - y) ** 2, weights)


def log_loss(y: Floats, p: Floats, weights: Floats) -> Floats:
    return _mean(losses(y, p), weights)


def losses(y: Floats, p: Floats) -> Floats:
    """Log-loss of each row."""
    held = np.clip(p, TINY, 1 - TINY)
    return np.asarray(-(y * np.log(held) + (1 - y) * np.log(1 - held)))


def _mean(values: Floats, weights: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ values / weights.sum(axis=1))


def bins_of(p: Floats, most: int = 10) -> Ints:
    """Bin of each row: `most` of (nearly) equal size by p; fewer where rows are few.

    Equal probabilities are never torn apart: what they say must be one thing.
    """
    count = max(1, min(most, len(p) // 5))
    return tied_bins(p, np.arange(1, count) * len(p) / count)


def tied_bins(p: Floats, edges: Floats) -> Ints:
    """Bin of each row: `edges` are ranks between two bins. Rows of equal p stand where the middle
    of their ranks stands, so the order of the rows says nothing; bins without a row are dropped."""
    _, code, times = np.unique(p, return_inverse=True, return_counts=True)
    place = np.searchsorted(edges, np.cumsum(times) - times / 2, side="right")
    return np.asarray(np.unique(place[code], return_inverse=True)[1])


def ece(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Expected calibration error: mean |said - came| over ten bins of equal size."""
    if not len(y):
        return np.full(len(weights), np.nan)
    member = _members(p)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs((weights * (p - y)) @ member).sum(axis=1) / weights.sum(axis=1))


def _members(p: Floats) -> Floats:
    """[rows, bins]: 1 where a row stands in the bin."""
    bins = bins_of(p)
    return np.asarray(bins[:, None] == np.arange(int(bins.max()) + 1), dtype=np.float64)


def ece_by_chance(p: Floats, *, draws: int = 300, seed: int = 1) -> float:
    """The ECE below which 95 of 100 perfectly calibrated models of this size stay.

    Even a perfect probability shows some error on few rows; what is above this is not chance.
    """
    if not len(p):
        return float("nan")
    came = (np.random.default_rng(seed).random((draws, len(p))) < p).astype(np.float64)
    found = np.abs((p - came) @ _members(p)).sum(axis=1) / len(p)
    return float(np.percentile(found, LEVEL))


def slope_intercept(y: Floats, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Of a logistic of what came on the logit of p (Cox 1958): 1 and 0 where p is right.

    Slope below 1: high ones were too high and low ones too low. The intercept is that of slope 1:
    below 0 all were too high. A faint ridge keeps samples that p tells apart perfectly finite;
    nan where only one outcome was drawn, or p does not vary.
    """
    nothing = np.full(len(weights), np.nan)
    if len(y) < 2:
        return nothing, nothing
    held = np.clip(p, TINY, 1 - TINY)
    told = np.log(held / (1 - held))
    lost = weights @ y
    is_one_sided = (lost <= 0) | (lost >= weights.sum(axis=1))
    offset = np.where(is_one_sided, np.nan, _offset(y, told, weights))
    if np.ptp(p) < TINY:
        return nothing, offset
    return np.where(is_one_sided, np.nan, _slope(y, told, weights)), offset


def _slope(y: Floats, told: Floats, weights: Floats) -> Floats:
    """Newton from "it is right" (slope 1), in short steps: extreme logits would throw it far."""
    middle = float(told.mean())
    z = told - middle
    a, b = np.full(len(weights), middle), np.ones(len(weights))
    for _ in range(NEWTON_STEPS):
        q = _expit(a[:, None] + b[:, None] * z)
        pull, curve = weights * (y - q), weights * q * (1 - q) + 1e-12
        g0, g1 = pull.sum(axis=1), pull @ z - 1e-3 * (b - 1)
        h00, h01, h11 = curve.sum(axis=1), curve @ z, curve @ (z * z) + 1e-3
        det = h00 * h11 - h01 * h01
        a = a + np.clip((h11 * g0 - h01 * g1) / det, -1, 1)
        b = b + np.clip((h00 * g1 - h01 * g0) / det, -0.3, 0.3)
    return b


def _offset(y: Floats, told: Floats, weights: Floats) -> Floats:
    a = np.zeros(len(weights))
    for _ in range(NEWTON_STEPS):
        q = _expit(a[:, None] + told)
        pull, curve = weights * (y - q), weights * q * (1 - q) + 1e-12
        a = a + np.clip(pull.sum(axis=1) / curve.sum(axis=1), -2, 2)
    return a


def _expit(eta: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(eta, -30, 30))))


@dataclass(frozen=True)
class Bin:
    """A bar of the reliability plot: what was said, what came, and the interval of what came."""

    count: int
    lost: int
    said: float
    came: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "lost": self.lost,
            **{name: shortened(getattr(self, name)) for name in ("said", "came", "low", "high")},
        }


def reliability(y: Floats, p: Floats) -> list[Bin]:
    """Said against came in bins of equal size, with Wilson intervals."""
    if not len(y):
        return []
    bins = bins_of(p)
    found = []
    for one in range(int(bins.max()) + 1):
        inside = bins == one
        count, lost = int(inside.sum()), int(y[inside].sum())
        low, high = wilson(lost, count) or (float("nan"), float("nan"))
        found.append(Bin(count, lost, float(p[inside].mean()), lost / count, low, high))
    return found
