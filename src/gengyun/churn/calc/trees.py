"""Boosted trees as a value: scored, and their sum shared out to the features, with numpy alone.

Each leaf is kept as the box that leads to it: for every feature on its path the bounds, whether
unknown passes, and the share of the training rows that passed. Shapley values follow from the
boxes exactly as "path-dependent TreeSHAP" has them (Lundberg et al., "From local explanations to
global understanding with explainable AI for trees", 2020), so that they equal LightGBM's
pred_contrib.
"""

from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.linear import Part
from gengyun.churn.calc.table import Flags, Floats, Ints

CELLS = 1_000_000  # numbers held at once while sharing out


@dataclass(frozen=True)
class Leaves:
    """Leaves whose path asks the same number of features: all arrays [leaves, features asked]."""

    value: Floats  # [leaves]
    feature: Ints
    low: Floats  # passes when low < x <= high
    high: Floats
    unknown: Flags  # unknown passes
    share: Floats  # of the training rows at hand that passed

    @cached_property
    def table(self) -> Floats:
        """[features asked, leaves, patterns]: what each feature adds, by which of them pass."""
        found = _shapley(self.share) * self.value[:, None, None]
        return np.ascontiguousarray(np.moveaxis(found, 2, 0))

    @cached_property
    def questions(self) -> tuple[Floats, Ints]:
        """The different questions, as columns of (feature, low, high, unknown), and the place of
        each leaf's [leaves, features asked]."""
        every = np.stack([self.feature, self.low, self.high, self.unknown]).reshape(4, -1)
        found, place = np.unique(every, axis=1, return_inverse=True)
        return found, np.asarray(place.reshape(self.feature.shape), dtype=np.int64)


@dataclass(frozen=True)
class Trees:
    """`base`: the mean over the training rows. `fill` replaces unknown where training had none."""

    leaves: tuple[Leaves, ...]
    base: float
    fill: Floats

    def score(self, x: Floats) -> Part:
        x = np.where(np.isnan(x), self.fill, x)
        contributions = np.zeros(x.shape)
        for group in self.leaves:
            if group.feature.size:
                _share_out(group, x, contributions)
        base = np.full(len(x), self.base)
        return Part(base + contributions.sum(axis=1), base, contributions, np.zeros(len(x)))

    def logits(self, x: Floats) -> Floats:
        x = np.where(np.isnan(x), self.fill, x)
        total = np.zeros(len(x))
        for group in self.leaves:
            if not group.feature.size:
                total += group.value.sum()
                continue
            step = max(CELLS // len(group.value), 1)
            for start in range(0, len(x), step):
                all_pass = (1 << group.feature.shape[1]) - 1
                passed = _patterns(group, x[start : start + step]) == all_pass
                total[start : start + step] += group.value @ passed
        return total

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "trees",
            "base": self.base,
            "fill": [None if np.isnan(value) else float(value) for value in self.fill],
            "leaves": [
                {
                    "value": [float(f"{v:.9g}") for v in group.value],
                    "feature": group.feature.tolist(),
                    "low": _told(group.low),
                    "high": _told(group.high),
                    "unknown": group.unknown.astype(int).tolist(),
                    "share": [[float(f"{v:.9g}") for v in row] for row in group.share],
                }
                for group in self.leaves
            ],
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        leaves = tuple(
            Leaves(
                np.array(group["value"], dtype=np.float64),
                np.array(group["feature"], dtype=np.int64),
                _read(group["low"], -np.inf),
                _read(group["high"], np.inf),
                np.array(group["unknown"], dtype=np.bool_),
                np.array(group["share"], dtype=np.float64),
            )
            for group in told["leaves"]
        )
        fill = [np.nan if value is None else value for value in told["fill"]]
        return cls(leaves, told["base"], np.array(fill, dtype=np.float64))


def _patterns(group: Leaves, x: Floats) -> npt.NDArray[np.uint32]:
    """[leaves, rows]: which of the features asked pass, one bit each. Every different question is
    put once; the leaves of many trees ask the same ones."""
    asked, place = group.questions
    seen = x.T[asked[0].astype(np.int64)]
    with np.errstate(invalid="ignore"):
        inside = (seen > asked[1][:, None]) & (seen <= asked[2][:, None])
    unknown = np.isnan(seen)
    if unknown.any():
        inside = np.where(unknown, asked[3][:, None] > 0, inside)
    bits = inside.astype(np.uint32)
    pattern = np.zeros((len(group.value), len(x)), dtype=np.uint32)
    for at in range(group.feature.shape[1]):
        pattern |= bits[place[:, at]] << np.uint32(at)
    return pattern


def _share_out(group: Leaves, x: Floats, into: Floats) -> None:
    leaves, asked = group.feature.shape
    start_of = (np.arange(leaves) << asked).astype(np.uint32)[:, None]
    step = max(CELLS // leaves, 1)
    for start in range(0, len(x), step):
        entry = _patterns(group, x[start : start + step]) + start_of
        for at in range(asked):
            order = np.argsort(group.feature[:, at], kind="stable")
            features = group.feature[order, at]
            starts = np.flatnonzero(np.diff(features, prepend=-1))
            added = group.table[at].ravel().take(entry[order])
            sums = np.add.reduceat(added, starts, axis=0)
            into[start : start + step, features[starts]] += sums.T


def _shapley(share: Floats) -> Floats:
    """[leaves, patterns, features]: Shapley values of the game prod over i of (passes_i if known
    else share_i), for each of the 2^d patterns of which features pass."""
    leaves, asked = share.shape
    patterns = (np.arange(1 << asked)[:, None] >> np.arange(asked)) & 1
    weight = [factorial(s) * factorial(asked - s - 1) / factorial(asked) for s in range(asked)]
    made = np.empty((leaves, len(patterns), asked))
    for one in range(asked):
        # sums over the coalitions of the others, by their size: a polynomial grown factor by factor
        grown = np.zeros((leaves, len(patterns), asked))
        grown[:, :, 0] = 1.0
        for other in range(asked):
            if other == one:
                continue
            passes = patterns[None, :, other, None]
            shifted = np.concatenate([np.zeros_like(grown[:, :, :1]), grown[:, :, :-1]], axis=2)
            grown = grown * share[:, None, other, None] + shifted * passes
        made[:, :, one] = (grown @ np.array(weight)) * (patterns[:, one] - share[:, one, None])
    return made


def _told(bounds: Floats) -> list[list[float | None]]:
    return [[None if np.isinf(v) else float(v) for v in row] for row in bounds]


def _read(bounds: list[list[float | None]], open_end: float) -> Floats:
    rows = [[open_end if v is None else v for v in row] for row in bounds]
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1)
