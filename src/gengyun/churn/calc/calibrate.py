"""Probabilities that are too bold or too timid, set right from rows out of fold.

Beta calibration (Kull, Silva Filho & Flach 2017) held towards leaving everything as it is. Applied
only where the slope leaves 0.8 to 1.25 (science.md 4.3), and not by chance: a correction of noise
is noise.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.logistic import expit, posterior, with_intercept
from gengyun.churn.calc.scores import slope_intercept
from gengyun.churn.calc.table import Floats

SLOPE_KEPT = (0.8, 1.25)
PRIOR_SPREAD = 0.5
SURE = 1.64  # standard errors by which the slope must lie beyond


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
