"""L0: a probability before anything could be learned, from a stated base rate and the expert's
weights (science.md 4.3). An estimate from experience, with a wide interval; never more than that.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from gengyun.churn.calc.linear import Part
from gengyun.churn.calc.logistic import logit_of
from gengyun.churn.calc.prepare import Column, prepare, read
from gengyun.churn.calc.table import NO_TIER, Floats, Ints, Table

SLOPE = 1.0
SLOPE_SPREAD = 0.5  # an assumption: nobody has measured how well an expert's weights order
LEAST_WORTH = 1.0


@dataclass(frozen=True)
class BaseRate:
    """The share that is lost, worth so many decided renewals (the weight of a Beta prior)."""

    rate: float
    worth: float = 20.0

    def after(self, lost: float, decided: float) -> "BaseRate":
        """With what was seen (Beta-binomial)."""
        worth = max(self.worth, LEAST_WORTH)
        return BaseRate((self.rate * worth + lost) / (worth + decided), worth + decided)

    @property
    def variance(self) -> float:
        """Of the logit of the rate."""
        rate = min(max(self.rate, 0.005), 0.995)
        return 1 / (self.worth * rate) + 1 / (self.worth * (1 - rate))


DEFAULT_BASE = BaseRate(0.20, 5.0)  # an assumption, worth little; the company states its own


@dataclass(frozen=True)
class Scorecard:
    """Weighted mean of signed z-scores over what is known, in units of its own spread.

    `weights` per feature, risk positive; `columns` how a feature is read; `centre`, `scale` of
    each; `spread` of the weighted mean among the customers at hand. `bases` by tier.
    """

    weights: Floats
    columns: tuple[Column, ...]
    centre: Floats
    scale: Floats
    mean: float
    spread: float
    slope: float
    bases: dict[int, BaseRate]

    def score(self, x: Floats, tier: Ints) -> Part:
        signed, _ = _signed(self.columns, self.centre, self.scale, self.weights, x)
        found = self.base_of(tier)
        base = logit_of(np.array([one.rate for one in found]), 0.005)
        # a row of which nothing is known stands at the mean
        told = np.where(_known(self.columns, self.weights, x), self.mean, 0.0)
        each = signed * (self.slope / self.spread)
        shift = -told * self.slope / self.spread
        logit = base + shift + each.sum(axis=1)
        spread2 = np.array([one.variance for one in found])
        spread2 = spread2 + (SLOPE_SPREAD / self.slope * (logit - base)) ** 2
        return Part(logit, base + shift, each, spread2)

    def base_of(self, tier: Ints) -> list[BaseRate]:
        fallback = self.bases.get(NO_TIER, DEFAULT_BASE)
        return [self.bases.get(int(one), fallback) for one in tier]

    def risk(self, x: Floats) -> Floats:
        """The weighted mean alone, in units of spread: what the scorecard ranks by."""
        signed, _ = _signed(self.columns, self.centre, self.scale, self.weights, x)
        known = _known(self.columns, self.weights, x)
        return np.where(known, (signed.sum(axis=1) - self.mean) / self.spread, 0.0)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "scorecard",
            "weights": self.weights.tolist(),
            "columns": [asdict(column) for column in self.columns],
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
            "mean": self.mean,
            "spread": self.spread,
            "slope": self.slope,
            "bases": {str(tier): asdict(base) for tier, base in self.bases.items()},
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        return cls(
            np.array(told["weights"], dtype=np.float64),
            tuple(Column(**column) for column in told["columns"]),
            np.array(told["centre"], dtype=np.float64),
            np.array(told["scale"], dtype=np.float64),
            told["mean"],
            told["spread"],
            told["slope"],
            {int(tier): BaseRate(**base) for tier, base in told["bases"].items()},
        )


def scorecard(table: Table, base_rates: Mapping[int, BaseRate]) -> Scorecard:
    """From all rows (decided or not) the units; from the decided ones, how the bases move."""
    preparation = prepare(table)
    columns = preparation.columns
    weights = np.array([feature.sign * feature.weight for feature in table.features], dtype=float)
    centre, scale = np.zeros(len(columns)), np.ones(len(columns))
    for at, column in enumerate(columns):
        value = read(table.x[:, column.feature], column)
        known = value[~np.isnan(table.x[:, column.feature])]
        if len(known):
            centre[at] = known.mean()
            scale[at] = known.std() if known.std() > 0 else 1.0
    signed, _ = _signed(columns, centre, scale, weights, table.x)
    total = signed.sum(axis=1)[_known(columns, weights, table.x)]
    mean = float(total.mean()) if len(total) else 0.0
    spread = float(total.std()) if len(total) and total.std() > 0 else 1.0
    # where nobody stated a rate for the rest, the assumption moves with the data like a stated one
    asked = {NO_TIER: DEFAULT_BASE, **base_rates}
    bases = {tier: _base(table, tier, base) for tier, base in asked.items()}
    return Scorecard(weights, columns, centre, scale, mean, spread, SLOPE, bases)


def _base(table: Table, tier: int, base: BaseRate) -> BaseRate:
    ours = table.decided & ((table.tier == tier) if tier != NO_TIER else True)
    return base.after(float(np.sum(table.y[ours])), float(np.sum(ours)))


def _signed(
    columns: tuple[Column, ...], centre: Floats, scale: Floats, weights: Floats, x: Floats
) -> tuple[Floats, Floats]:
    """[rows, features] share of each in the weighted mean, and the weight present per row."""
    each = np.zeros(x.shape)
    present = np.zeros(len(x))
    for at, column in enumerate(columns):
        weight = weights[column.feature]
        if weight == 0:
            continue
        raw = x[:, column.feature]
        known = ~np.isnan(raw)
        z = (read(raw, column) - centre[at]) / scale[at]
        each[:, column.feature] = np.where(known, weight * z, 0.0)
        present += np.where(known, abs(weight), 0.0)
    return each / np.maximum(present, 1e-9)[:, None], present


def _known(columns: tuple[Column, ...], weights: Floats, x: Floats) -> Floats:
    asked = [column.feature for column in columns if weights[column.feature] != 0]
    return np.asarray((~np.isnan(x[:, asked])).any(axis=1), dtype=np.bool_)
