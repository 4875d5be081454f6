"""Probabilities that are too bold or too timid, set right from rows out of fold.

Beta calibration (Kull, Silva Filho & Flach 2017) held towards leaving everything as it is. Applied
only where the slope leaves 0.8 to 1.25 (science.md 4.3), and not by chance: a correction of noise
is noise.

Before members are mixed, a linear one may be given ends that it never passes (`Ends`): where a
share of outcomes comes about by what no column tells, a line on the logit is surely wrong far out,
and would be mistrusted in the middle for it (guess and lapse rates; Copas 1988). Trees end by
themselves.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.logistic import expit, log_loss, logit_of, posterior, with_intercept
from gengyun.churn.calc.scores import paired_gain, slope_intercept
from gengyun.churn.calc.table import Floats, Ints

SLOPE_KEPT = (0.8, 1.25)
PRIOR_SPREAD = 0.5
SURE = 1.64  # standard errors by which the slope must lie beyond
MOST_APART = 0.2  # how far an end may lie from 0 or from 1
# Standard errors by which ends must gain. The best of many tried on the same rows is too good by
# itself, and landmarks and customers bring their losses together: a ceiling that came of chance
# moved the probabilities of a world by 5 points.
ENDS_SURE = 2.0
ENDS = tuple(np.arange(0.005, MOST_APART, 0.005).tolist())


@dataclass(frozen=True)
class Beta:
    """logit of the new p = c + a ln p - b ln(1 - p); all three 0, 1, 1 changes nothing."""

    a: float
    b: float
    c: float

    def of(self, logit: Floats) -> Floats:
        """Of logits, to logits; monotone, for a and b are not negative."""
        lost, kept = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
        return np.asarray(self.c + self.a * lost - self.b * kept, dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def beta_calibration(logit: Floats, y: Floats, counts: Floats | None = None) -> Beta:
    """`counts`: what each row counts for (`Table.weight`)."""
    lost, kept = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
    x = np.column_stack([np.ones(len(y)), lost, -kept])
    prior = np.array([0.0, 1.0, 1.0])
    precision = np.full(3, PRIOR_SPREAD**-2.0)
    found = posterior(x, y, prior, precision, weight=counts).beta
    for at in (1, 2):  # a negative slope would turn the order round: that side is left out
        if found[at] < 0:
            keep = [0, 3 - at]
            part = posterior(x[:, keep], y, prior[keep], precision[keep], weight=counts).beta
            found = np.zeros(3)
            found[keep] = np.maximum(part, [-np.inf, 0.0])
    return Beta(float(found[1]), float(found[2]), float(found[0]))


def calibration_if_needed(logit: Floats, y: Floats, counts: Floats | None = None) -> Beta | None:
    """None where the slope out of fold is near enough to 1, or cannot be told from it."""
    slope, _ = slope_intercept(y, expit(logit))
    if np.isnan(slope) or SLOPE_KEPT[0] <= slope <= SLOPE_KEPT[1]:
        return None
    nearest = SLOPE_KEPT[0] if slope < SLOPE_KEPT[0] else SLOPE_KEPT[1]
    x = with_intercept(logit[:, None])
    told = posterior(x, y, np.array([0.0, 1.0]), np.array([1e-6, 1e-6]), weight=counts)
    if abs(slope - nearest) < SURE * float(np.sqrt(told.covariance[1, 1])):
        return None
    return beta_calibration(logit, y, counts)


@dataclass(frozen=True)
class Ends:
    """New p = least + (most - least) p: the order stays, what was nearly sure is less so."""

    least: float = 0.0
    most: float = 1.0

    def of(self, logit: Floats) -> Floats:
        return logit_of(self.least + (self.most - self.least) * expit(logit))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def ends_if_needed(logit: Floats, y: Floats, counts: Floats, account: Ints) -> Ends | None:
    """From logits out of fold. Each end must earn its parameter (BIC: half the logarithm of the
    outcomes), and what they gain must be no chance of single accounts; None where neither does."""
    p, price = expit(logit), 0.5 * float(np.log(max(counts.sum(), 1.0)))

    def loss(ends: Ends) -> float:
        told = np.clip(ends.least + (ends.most - ends.least) * p, 1e-6, 1 - 1e-6)
        paid = price * ((ends.least > 0) + (ends.most < 1))
        return paid - float(counts @ np.where(y == 1, np.log(told), np.log(1 - told)))

    best = Ends()
    for _ in range(2):
        best = min((Ends(best.least, 1.0 - away) for away in (0.0, *ENDS)), key=loss)
        best = min((Ends(away, best.most) for away in (0.0, *ENDS)), key=loss)
    if best == Ends():
        return None
    with_ends = counts * log_loss(best.of(logit), y)
    gain, error = paired_gain(with_ends, counts * log_loss(logit, y), account)
    return best if gain > ENDS_SURE * error else None
