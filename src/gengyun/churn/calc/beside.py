"""What a churn probability is held against in a back-test: simple ways to say the same thing. Pure.

Each learns from the training rows of a cut-off and speaks of its test rows, like the model itself:
the base rate by tier, the health score alone, what the CSM said. The plain logistic is the
ladder's own control.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.table import Flags, Floats, Ints, Table

BASE_WORTH = 20.0  # outcomes that the rate of all is worth beside a tier's own
SAID_WORTH = 8.0
UNSAID = -1
STEPS = 25


@dataclass(frozen=True)
class Beside:
    """What else was known on the day of each row; lengths as the table's."""

    health: Floats  # the score of that day, nan unknown
    category: Ints  # place in `categories`, -1 nobody had judged
    categories: tuple[str, ...] = ()

    def taken(self, rows: Ints | Flags) -> "Beside":
        return Beside(self.health[rows], self.category[rows], self.categories)


def nothing_beside(rows: int) -> Beside:
    return Beside(np.full(rows, np.nan), np.full(rows, UNSAID))


def rate_of(y: Floats, *, worth: float, prior: float) -> float:
    """Share lost, drawn to the prior as if it had been seen `worth` times."""
    return float((y.sum() + worth * prior) / (len(y) + worth))


def base_rate(train: Table, test: Table, *, prior: float) -> Floats:
    """The share lost in the tier before, drawn to that of all tiers; `prior` without outcomes."""
    overall = rate_of(train.y, worth=1.0, prior=prior)
    found = np.full(len(test), overall)
    for tier in np.unique(test.tier):
        own = train.y[train.tier == tier]
        found[test.tier == tier] = rate_of(own, worth=BASE_WORTH, prior=overall)
    return found


def health_alone(train: Table, test: Table, known: Beside, then: Beside, *, prior: float) -> Floats:
    """A logistic on nothing but the health score; the base rate where there was no score."""
    found = base_rate(train, test, prior=prior)
    has, asks = np.isfinite(known.health), np.isfinite(then.health)
    if has.sum() < 2 or not 0 < train.y[has].sum() < has.sum():
        return found
    middle, spread = known.health[has].mean(), known.health[has].std() or 1.0
    a, b = _line((known.health[has] - middle) / spread, train.y[has])
    found[asks] = 1 / (1 + np.exp(-(a + b * (then.health[asks] - middle) / spread)))
    return found


def _line(z: Floats, y: Floats) -> tuple[float, float]:
    """Intercept and slope of a logistic of y on z, the slope with a N(0, 2) prior."""
    rate = np.clip(y.mean(), 0.01, 0.99)
    found = np.array([np.log(rate / (1 - rate)), 0.0])
    design = np.column_stack([np.ones_like(z), z])
    for _ in range(STEPS):
        q = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        pull = design.T @ (y - q) - np.array([0.0, found[1] / 4])
        curve = (design * (q * (1 - q))[:, None]).T @ design + np.diag([1e-6, 0.25])
        step = np.clip(np.linalg.solve(curve, pull), -2, 2)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    return float(found[0]), float(found[1])


def category_alone(
    train: Table, test: Table, known: Beside, then: Beside, *, prior: float
) -> Floats:
    """What became of renewals that the CSM had put into the same category, at the same distance;
    the base rate where nobody had judged."""
    found = base_rate(train, test, prior=prior)
    overall = rate_of(train.y, worth=1.0, prior=prior)
    for category in np.unique(then.category[then.category != UNSAID]):
        said = known.category == category
        of_all = rate_of(train.y[said], worth=SAID_WORTH, prior=overall)
        asked = then.category == category
        for lag in np.unique(test.lag[asked]):
            own = train.y[said & (train.lag == lag)]
            found[asked & (test.lag == lag)] = rate_of(own, worth=SAID_WORTH, prior=of_all)
    return found
