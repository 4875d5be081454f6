"""What holds where nobody chose: expert weights, base rates and thresholds, as shipped.

Weights stand in the catalogue (`features`), the rest in `standards.json`. Each has its source:
"assumption" (ours, nobody measured it), "convention" (usual in the trade), "measured"
(docs/churn-models.md), "stated" (by the company in its settings of revenue) or the words of whoever
changed it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp, log
from typing import Any

from gengyun.churn.calc.features import FEATURES

OTHER_TIER = ""  # customers without a tier, and tiers that are not named


@dataclass(frozen=True)
class Weight:
    weight: float  # 0..3; 0: the scorecard does not ask it
    source: str


@dataclass(frozen=True)
class BaseRate:
    """`rate`: share of renewals lost; it counts for as much as `worth` decided renewals."""

    rate: float
    worth: float
    source: str


@dataclass(frozen=True)
class Threshold:
    value: float
    source: str


@lru_cache(maxsize=1)
def shipped() -> dict[str, Any]:
    text = files("gengyun.churn.calc").joinpath("standards.json").read_text(encoding="utf-8")
    rest: dict[str, Any] = json.loads(text)
    given = {one.key: {"weight": one.weight, "source": "assumption"} for one in FEATURES}
    return {"weights": given, **rest}


def weights(own: Mapping[str, Any], features: Mapping[str, float]) -> dict[str, Weight]:
    """Of every feature of the catalogue (key -> weight): what the company chose, else as shipped,
    which nobody has measured."""
    found = {}
    for key, weight in features.items():
        row = own.get(key) or {"weight": weight, "source": "assumption"}
        found[key] = Weight(float(row["weight"]), str(row["source"]))
    return found


def base_rates(own: Mapping[str, Any], stated_loss: float | None = None) -> dict[str, BaseRate]:
    """By key of a tier, "" for all others.

    A share lost that the company states moves what is shipped on the logit, so that the tiers keep
    their distances; what it chose for a tier itself stays.
    """
    found = {}
    middle = _logit(shipped()["base_rates"][OTHER_TIER]["rate"])
    for key, row in {**shipped()["base_rates"], **own}.items():
        rate, source = float(row["rate"]), str(row["source"])
        if key not in own and stated_loss is not None:
            rate = _expit(_logit(rate) + _logit(stated_loss) - middle)
            source = "stated"
        found[key] = BaseRate(rate, float(row["worth"]), source)
    return found


def thresholds(own: Mapping[str, Any]) -> dict[str, Threshold]:
    """Limits by key. "tier:<key>": probability from which a customer of the tier is an alert, where
    the company chose one; else it follows from the budget."""
    rows = {**shipped()["thresholds"], **own}
    return {key: Threshold(float(row["value"]), str(row["source"])) for key, row in rows.items()}


def _logit(p: float) -> float:
    inside = min(max(p, 1e-6), 1 - 1e-6)
    return log(inside / (1 - inside))


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x))
