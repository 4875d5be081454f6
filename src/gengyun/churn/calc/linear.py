"""The linear member of a model as a value: what is frozen, how it scores, what features add."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from gengyun.churn.calc.logistic import moderated, variance, with_intercept
from gengyun.churn.calc.prepare import Preparation
from gengyun.churn.calc.table import Floats


@dataclass(frozen=True)
class Part:
    """What one member says of some rows: `base` + `contributions` summed = `logit`."""

    logit: Floats
    base: Floats
    contributions: Floats  # [rows, features]
    variance: Floats  # of the logit; 0 where the member cannot tell


@dataclass(frozen=True)
class Linear:
    preparation: Preparation
    beta: Floats  # the intercept first
    covariance: Floats
    settings: dict[str, float] = field(default_factory=dict)  # k, tau, tau_bend

    def score(self, x: Floats) -> Part:
        design = self.preparation.design(x)
        found = variance(with_intercept(design), self.covariance)
        each = self.preparation.shares(x, self.beta[1:])
        raw = self.beta[0] + each.sum(axis=1)
        logit = moderated(raw, found)
        shrink = 1 / np.sqrt(1 + np.pi * found / 8)
        contributions = np.zeros(x.shape)
        np.add.at(contributions.T, self.preparation.features, (each * shrink[:, None]).T)
        return Part(logit, self.beta[0] * shrink, contributions, found * shrink * shrink)

    def logits(self, x: Floats) -> Floats:
        design = self.preparation.design(x)
        found = variance(with_intercept(design), self.covariance)
        return moderated(self.beta[0] + design @ self.beta[1:], found)

    def to_json(self) -> dict[str, Any]:
        rows, places = np.tril_indices(len(self.beta))
        return {
            "kind": "linear",
            "preparation": self.preparation.to_json(),
            "beta": self.beta.tolist(),
            "covariance": [float(f"{v:.7g}") for v in self.covariance[rows, places]],
            "settings": self.settings,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        beta = np.array(told["beta"], dtype=np.float64)
        covariance = np.zeros((len(beta), len(beta)))
        covariance[np.tril_indices(len(beta))] = told["covariance"]
        covariance += np.tril(covariance, -1).T
        preparation = Preparation.from_json(told["preparation"])
        return cls(preparation, beta, covariance, told["settings"])
