"""How far a probability can be relied on: A, B, C, or nothing at all and why (science.md 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gengyun.churn.calc.model import Model, Rung
from gengyun.churn.calc.table import Feature, Floats

Grade = Literal["A", "B", "C"]
Reason = Literal["", "nothing_known", "too_little_known", "out_of_date"]

# limits are ours (assumption): losses learned from, share of the inputs' weight that is unknown
EVENTS_A, EVENTS_B = 50, 20
MISSING_A, MISSING_B, MISSING_REFUSED = 0.25, 0.5, 0.8
AGE_A, AGE_B, AGE_REFUSED = 2, 7, 30  # days since the data of the snapshot ended
WIDTH_A, WIDTH_B = 0.30, 0.50  # of the 80 % interval


@dataclass(frozen=True)
class Standing:
    """What a grade is made of. `events`: different losses in training. `is_unproven`: the newest
    back-test could not show that such models know more than the rate of the tier."""

    rung: Rung
    events: int
    has_signal: bool = True
    is_unproven: bool = False


def grade(standing: Standing, *, missing_share: float, age_days: int, width: float) -> Grade:
    """The worst of: losses learned from, inputs present, age, width of the interval. L0 is an
    estimate: always C, and so is what a back-test left unproven."""
    if standing.rung == "L0" or not standing.has_signal or standing.is_unproven:
        return "C"
    limits: tuple[tuple[Grade, int, float, int, float], ...] = (
        ("A", EVENTS_A, MISSING_A, AGE_A, WIDTH_A),
        ("B", EVENTS_B, MISSING_B, AGE_B, WIDTH_B),
    )
    for name, events, missing, age, widest in limits:
        is_known = standing.events >= events and missing_share <= missing
        if is_known and age_days <= age and width <= widest:
            return name
    return "C"


def refusal(x: Floats, missing_share: float, age_days: int) -> Reason:
    """Why nothing is said of a row of features; "" when something can be."""
    if np.isnan(x).all():
        return "nothing_known"
    if missing_share > MISSING_REFUSED:
        return "too_little_known"
    return "out_of_date" if age_days > AGE_REFUSED else ""


def missing(features: Sequence[Feature], x: Floats, model: Model, most: int = 5) -> list[list[str]]:
    """Of each row the keys of what is unknown, what counts most in the model first. `features` are
    those of the model, the columns of `x` in their order."""
    weight = model.importance
    if len(weight) != len(features) or not weight.any():
        weight = np.array([one.weight if one.sign else 0.0 for one in features], dtype=float)
    order = [at for at in np.argsort(-weight, kind="stable") if weight[at] > 0]
    keys = [features[at].key for at in order]
    found: list[list[str]] = [[] for _ in range(len(x))]
    for row, at in zip(*(part.tolist() for part in np.nonzero(np.isnan(x[:, order]))), strict=True):
        if len(found[row]) < most:
            found[row].append(keys[at])
    return found
