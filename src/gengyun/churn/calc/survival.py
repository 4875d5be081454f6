"""How long customers stay, by the same logistic: the hazard of each period (science.md 3.6).

A customer seen for n periods is n rows; the row in which it was lost has y = 1. Time-varying inputs
are simply other values in other rows. No survival library is needed.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.gam import expert_logistic
from gengyun.churn.calc.linear import Linear
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.table import Feature, Floats, Ints, Table, plain_table

LOG_PERIOD = "period_log"


@dataclass(frozen=True)
class Hazard:
    """`periods`: the last one learned; later ones have the hazard of the last."""

    model: Linear
    periods: int

    def survival(self, x: Floats, upto: int | None = None) -> Floats:
        """[rows, periods + 1]: the probability of still being there after 0, 1, 2… periods."""
        last = self.periods if upto is None else upto
        alive = np.ones((len(x), last + 1))
        for period in range(1, last + 1):
            asked = _with_period(x, np.full(len(x), min(period, self.periods)), self.periods)
            alive[:, period] = alive[:, period - 1] * (1 - expit(self.model.logits(asked)))
        return alive


def hazard(table: Table, duration: Ints, *, periods: int | None = None) -> Hazard:
    """Learn from customers seen `duration` periods and then lost (y 1) or still there (y 0).

    The base hazard is a flag a period, so that it may take any course; what the features do is the
    same in every period.
    """
    seen = np.maximum(duration.astype(np.int64), 0)
    last = int(seen.max()) if periods is None else periods
    rows = np.repeat(np.arange(len(table)), np.minimum(seen, last))
    starts = np.cumsum(np.minimum(seen, last)) - np.minimum(seen, last)
    period = np.arange(len(rows)) - starts[rows] + 1
    y = ((table.y[rows] == 1) & (period == seen[rows])).astype(np.float64)
    features = (
        *table.features,
        Feature(LOG_PERIOD),
        *(Feature(f"period:{p}", kind="flag") for p in range(1, last + 1)),
    )
    long = plain_table(
        features, _with_period(table.x[rows], period, last), y, account=table.account[rows]
    )
    return Hazard(expert_logistic(long), last)


def concordance(time: Floats, lost: Floats, risk: Floats) -> float:
    """Harrell's C: among pairs where one is known to be lost first, how often it had the higher
    risk; equal risks count half."""
    order = np.argsort(time, kind="stable")
    time, lost, risk = time[order], lost[order], risk[order]
    right = pairs = 0.0
    for at in np.flatnonzero(lost == 1):
        later = slice(int(np.searchsorted(time, time[at], side="right")), None)
        others = risk[later]
        # equal times: the one still there outlived the one lost
        tied = (time == time[at]) & (lost == 0)
        others = np.concatenate([others, risk[tied]])
        pairs += len(others)
        right += (others < risk[at]).sum() + 0.5 * (others == risk[at]).sum()
    return float(right / pairs) if pairs else float("nan")


def kaplan_meier(time: Floats, event: Floats) -> tuple[Floats, Floats]:
    """Times of events, and the share still there after each (Kaplan & Meier 1958)."""
    times = np.unique(time[event == 1])
    at_risk = np.array([(time >= t).sum() for t in times])
    lost = np.array([((time == t) & (event == 1)).sum() for t in times])
    return times, np.cumprod(1 - lost / at_risk)


def integrated_brier(
    time: Floats,
    lost: Floats,
    survival: Floats,
    grid: Floats,
    *,
    censored_from: tuple[Floats, Floats],
) -> float:
    """Brier score of `survival` [rows, grid] over time, weighed against censoring (Graf et al.
    1999). `censored_from`: (time, lost) of the training rows, for the censoring's own curve."""
    train_time, train_lost = censored_from
    times, still = kaplan_meier(train_time, 1 - train_lost)

    def seen(at: Floats, *, before: bool) -> Floats:
        side = "left" if before else "right"
        place = np.searchsorted(times, at, side=side)  # type: ignore[call-overload]
        return np.asarray(np.maximum(np.concatenate([[1.0], still])[place], 1e-3))

    own = seen(time, before=True)
    scores = []
    for at, t in enumerate(grid):
        gone = (time <= t) & (lost == 1)
        here = time > t
        told = survival[:, at]
        worth = gone * told**2 / own + here * (1 - told) ** 2 / seen(np.array([t]), before=False)
        scores.append(worth.mean())
    found = np.array(scores)
    if len(grid) < 2:
        return float(found.mean())
    width = np.diff(grid)
    return float(np.sum((found[1:] + found[:-1]) / 2 * width) / width.sum())


def _with_period(x: Floats, period: Ints, last: int) -> Floats:
    flags = period[:, None] == np.arange(1, last + 1)[None, :]
    return np.column_stack([x, np.log1p(period), flags.astype(np.float64)])


def judged_survival(
    table: Table, time: Floats, *, seed: int = 1, share: float = 0.65
) -> tuple[float, float]:
    """(C, integrated Brier score) on the accounts that were not learned from; rows seen for no
    period at all are left out."""
    rows = np.flatnonzero(table.decided & (time > 0))
    order = np.random.default_rng(seed).permutation(rows)
    learned, judged = np.split(order, [int(share * len(order))])
    found = hazard(table.taken(learned), time[learned].astype(np.int64))
    alive = found.survival(table.x[judged])
    y, days = table.y[judged], time[judged]
    grid = np.arange(1.0, found.periods + 1)
    score = integrated_brier(
        days, y, alive[:, 1:], grid, censored_from=(time[learned], table.y[learned])
    )
    return concordance(days, y, -alive.sum(axis=1)), score
