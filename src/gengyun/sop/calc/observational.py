"""Without a hold-out: those worked on beside customers who looked alike. Not causal, and said so.

Difference in differences within tenths of the churn probability on the day of entry (science.md 7).
It cannot be trusted to show what an SOP does: a CSM, or a condition, chose customers who looked bad
that week, and such customers recover by themselves (regression to the mean). The weeks before say
whether the two groups went alike at least then.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gengyun.sop.calc.effect import Interval, normal_interval

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TENTHS = 10
LEAST = 8  # of each group with a known change


@dataclass(frozen=True)
class Beside:
    """`change`: of those worked on less that of the others, both since entry. `before`: the same
    over the weeks before entry; not near zero: they did not go alike, and the comparison says
    nothing. `trend`: (week, worked on, beside) means since the week of entry."""

    worked_on: int
    others: int
    change: Interval
    before: Interval | None
    trend: tuple[tuple[int, float, float], ...]

    @property
    def went_alike(self) -> bool | None:
        return None if self.before is None else not self.before.excludes_zero


def tenths_of(churn: Floats, worked_on: Flags) -> npt.NDArray[np.int64]:
    """Tenth of the probabilities of those worked on; -1: not known, -2: beyond all of theirs."""
    known = ~np.isnan(churn)
    of_treated = churn[worked_on & known]
    if not len(of_treated):
        return np.full(len(churn), -1)
    edges = np.quantile(of_treated, np.arange(1, TENTHS) / TENTHS)
    p = np.nan_to_num(churn)
    found = np.where(known, np.searchsorted(edges, p, side="right"), -1)
    return np.where(known & ((p < of_treated.min()) | (p > of_treated.max())), -2, found)


def compared(
    levels: Floats, *, weeks: npt.NDArray[np.int64], churn: Floats, worked_on: Flags
) -> Beside | None:
    """`levels`: [customer and entry day, week], nan unknown; `weeks`: of the columns, 0 the entry,
    before it negative. None: too few of either group have a level at both ends."""
    weight = matched_weights(levels, weeks, churn, worked_on)
    if weight is None:
        return None
    entry = int(np.flatnonzero(weeks == 0)[0])
    change = _difference(levels[:, -1] - levels[:, entry], weight, worked_on)
    if change is None:
        return None
    before = _difference(levels[:, entry] - levels[:, 0], weight, worked_on) if entry else None
    trend = []
    for place, week in enumerate(weeks.tolist()):
        means = [_mean(levels[:, place], weight, group)[0] for group in (worked_on, ~worked_on)]
        if not np.isnan(means).any():
            trend.append((week, means[0], means[1]))
    used = weight > 0
    return Beside(
        int((used & worked_on).sum()), int((used & ~worked_on).sum()), change, before, tuple(trend)
    )


def matched_weights(
    levels: Floats, weeks: npt.NDArray[np.int64], churn: Floats, worked_on: Flags
) -> Floats | None:
    """1 for each that was worked on and has somebody beside it in its tenth; the others of a tenth
    share the weight of those worked on there. 0: not used."""
    entry = int(np.flatnonzero(weeks == 0)[0])
    usable = ~np.isnan(levels[:, entry]) & ~np.isnan(levels[:, -1])
    tenth = tenths_of(churn, worked_on & usable)
    weight = np.zeros(len(churn))
    for one in np.unique(tenth):
        mine = usable & (tenth == one)
        treated, others = mine & worked_on, mine & ~worked_on
        if treated.any() and others.any():
            weight[treated] = 1.0
            weight[others] = treated.sum() / others.sum()
    counts = [int((weight[group] > 0).sum()) for group in (worked_on, ~worked_on)]
    return weight if min(counts) >= LEAST else None


def _mean(values: Floats, weight: Floats, group: Flags) -> tuple[float, float]:
    """(mean, its variance) of a weighted group, the unknown left out."""
    mine = group & (weight > 0) & ~np.isnan(values)
    if mine.sum() < 2:
        return float("nan"), float("nan")
    w = weight[mine] / weight[mine].sum()
    mean = float(w @ values[mine])
    return mean, float(np.sum((w * (values[mine] - mean)) ** 2))


def _difference(values: Floats, weight: Floats, worked_on: Flags) -> Interval | None:
    (mine, spread), (theirs, other) = (
        _mean(values, weight, group) for group in (worked_on, ~worked_on)
    )
    if np.isnan(mine) or np.isnan(theirs):
        return None
    return normal_interval(mine - theirs, spread + other)
