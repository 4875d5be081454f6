"""A trained model as a value: JSON in, JSON out, scored by numpy alone.

Nothing here imports what training needs. What a row gets is a sum on the logit: `base` + one
contribution for each feature, exactly.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from gengyun.churn.calc.calibrate import Beta, Ends
from gengyun.churn.calc.linear import Linear, Part
from gengyun.churn.calc.logistic import expit, logit_of
from gengyun.churn.calc.scorecard import Scorecard
from gengyun.churn.calc.table import Feature, Floats, Table
from gengyun.churn.calc.tiers import flagged
from gengyun.churn.calc.trees import Trees

Rung = Literal["L0", "L1", "L2", "L3", "plain"]
FORMAT = 1
Z_80 = 1.2815515655446004


@dataclass(frozen=True)
class Prediction:
    """`low`, `high`: 80 % interval of the probability (not of the outcome). `contributions`
    [rows, features] and `base`, which holds the tier's part, add up to `logit`. `missing_share`:
    weight of what is unknown."""

    p: Floats
    low: Floats
    high: Floats
    logit: Floats
    base: Floats
    contributions: Floats
    missing_share: Floats


@dataclass(frozen=True)
class Member:
    """`rate`: of the training rows, where the member's sum is linear in the probability. `ends`:
    what its probability never passes."""

    name: str
    content: Linear | Trees | Scorecard
    rate: float | None = None
    edge: float = 1e-4  # how near to 0 and 1 such a member may come
    ends: Ends | None = None

    def score(self, table: Table) -> Part:
        if isinstance(self.content, Scorecard):
            return self.content.score(table.x, table.tier)
        part = self.content.score(table.x)
        return part if self.is_plain_logit else _relinked(part, self._link)

    def logits(self, table: Table) -> Floats:
        if isinstance(self.content, Scorecard):
            return self.content.score(table.x, table.tier).logit
        found = self.content.logits(table.x)
        return found if self.is_plain_logit else self._link(found)

    @property
    def is_plain_logit(self) -> bool:
        return self.rate is None and self.ends is None

    def _link(self, told: Floats) -> Floats:
        """LightGBM's forests tell one Newton step from the base rate; undone here."""
        if self.rate is not None:
            rate = np.array(self.rate)
            told = logit_of(rate + rate * (1 - rate) * (told - logit_of(rate)), self.edge)
        return told if self.ends is None else self.ends.of(told)


@dataclass(frozen=True)
class Model:
    """`tiers`: places that have an intercept of their own. `weights`: intercept and one a member.
    `shift` is added to every logit afterwards (an intercept-only recalibration). `importance` per
    feature: mean |contribution| in training."""

    rung: Rung
    features: tuple[Feature, ...]
    members: tuple[Member, ...]
    weights: Floats
    tiers: tuple[int, ...] = ()
    calibration: Beta | None = None
    shift: float = 0.0
    importance: Floats = field(default_factory=lambda: np.zeros(0))

    def predict(self, table: Table) -> Prediction:
        """Columns are found by key; one that `table` lacks is unknown."""
        known = self._seen(table)
        parts = [member.score(known) for member in self.members]
        weights = self.weights[1:]
        total = self._mixed([part.logit for part in parts])
        base = self._mixed([part.base for part in parts])
        contributions = np.zeros((len(table), len(self.features)))
        for weight, part in zip(weights, parts, strict=True):
            contributions += weight * part.contributions[:, : len(self.features)]
        spread2 = _spread2(parts, weights)
        told = self._final(total)
        scale = _slope(self._final(base), told, base, total)
        reach = Z_80 * np.sqrt(spread2) * np.abs(scale)
        return Prediction(
            p=expit(told),
            low=expit(told - reach),
            high=expit(told + reach),
            logit=told,
            base=told - (contributions * scale[:, None]).sum(axis=1),
            contributions=contributions * scale[:, None],
            missing_share=self._missing(known.x[:, : len(self.features)]),
        )

    def logits(self, table: Table) -> Floats:
        """The logits alone: quicker, for training and back-tests."""
        known = self._seen(table)
        return self._final(self._mixed([member.logits(known) for member in self.members]))

    def shifted(self, shift: float) -> "Model":
        """The same model, recalibrated in the large."""
        return replace(self, shift=shift)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "rung": self.rung,
            "features": [asdict(feature) for feature in self.features],
            "members": [
                {
                    "name": member.name,
                    "content": member.content.to_json(),
                    "rate": member.rate,
                    "edge": member.edge,
                    "ends": None if member.ends is None else member.ends.to_json(),
                }
                for member in self.members
            ],
            "weights": self.weights.tolist(),
            "tiers": list(self.tiers),
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "shift": self.shift,
            "importance": self.importance.tolist(),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        if told["format"] != FORMAT:
            raise ValueError(f"a model of format {told['format']}, not {FORMAT}")
        calibration = told["calibration"]
        return cls(
            told["rung"],
            tuple(Feature(**feature) for feature in told["features"]),
            tuple(_member(member) for member in told["members"]),
            np.array(told["weights"], dtype=np.float64),
            tuple(told["tiers"]),
            None if calibration is None else Beta(**calibration),
            told["shift"],
            np.array(told["importance"], dtype=np.float64),
        )

    def _seen(self, table: Table) -> Table:
        known = table.with_features([feature.key for feature in self.features])
        return flagged(known, self.tiers)

    def _mixed(self, logits: list[Floats]) -> Floats:
        total = np.full(len(logits[0]), self.weights[0])
        for weight, logit in zip(self.weights[1:], logits, strict=True):
            total = total + weight * logit
        return np.asarray(total, dtype=np.float64)

    def _final(self, logit: Floats) -> Floats:
        return (logit if self.calibration is None else self.calibration.of(logit)) + self.shift

    def _missing(self, x: Floats) -> Floats:
        """By importance in training; where nothing was learned, by the expert's weights."""
        weight = self.importance
        if not len(weight) or not weight.any():
            weight = np.array([f.weight if f.sign else 0.0 for f in self.features], dtype=float)
        if not weight.any():
            weight = np.ones(len(self.features))
        return np.asarray(np.isnan(x) @ weight / weight.sum(), dtype=np.float64)


def _member(told: dict[str, Any]) -> Member:
    kinds = {"linear": Linear, "trees": Trees, "scorecard": Scorecard}
    content = kinds[told["content"]["kind"]].from_json(told["content"])  # type: ignore[attr-defined]
    ends = told.get("ends")  # models kept from before have none
    return Member(
        told["name"], content, told["rate"], told["edge"], None if ends is None else Ends(**ends)
    )


def _spread2(parts: list[Part], weights: Floats) -> Floats:
    """Variance of the mixed logit: what a member says of itself, and how they disagree."""
    logits = np.array([part.logit for part in parts])
    unsure = np.max([part.variance for part in parts], axis=0)
    total = float(weights.sum())
    share = weights / total if total > 0 else np.full(len(parts), 1 / len(parts))
    middle = share @ logits
    apart = share @ (logits - middle) ** 2
    return np.asarray((unsure + apart) * total**2, dtype=np.float64)


def _relinked(part: Part, link: Any) -> Part:
    logit, base = link(part.logit), link(part.base)
    scale = _slope(base, logit, part.base, part.logit)
    return Part(logit, base, part.contributions * scale[:, None], part.variance * scale**2)


def _slope(low: Floats, high: Floats, start: Floats, end: Floats) -> Floats:
    """(high - low) / (end - start): by how much a monotone map stretches each row's sum."""
    gap = end - start
    near = np.abs(gap) < 1e-9
    return np.where(near, 1.0, (high - low) / np.where(near, 1.0, gap))
