"""The logistic members: plain (the control), with the expert's prior (L1), and with bends (L2).

L1: coefficients are centred on k times the expert's weights; how far the data may pull them away,
tau, and k itself are judged by the evidence (science.md 4.3). L2 adds two hinges a number with a
spread of their own. What is tried is averaged by its evidence instead of taking the best alone.
The evidence is of renewals: landmarks of one count together as one (`Table.weight`).

The expert may be right about use and wrong about service: each group of features may follow its
weights by more or less than k, as far as the evidence lets it (`GROUP_SPREADS`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gengyun.churn.calc.linear import Linear
from gengyun.churn.calc.logistic import (
    INTERCEPT_SPREAD,
    Posterior,
    averaged,
    logit_of,
    posterior,
    with_intercept,
)
from gengyun.churn.calc.prepare import Preparation, guessing, prepare
from gengyun.churn.calc.table import Floats, Table
from gengyun.churn.calc.tiers import PREFIX

STRENGTHS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)  # k
SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # tau
# Of how far a group's own strength may lie from k; the least is none at all.
GROUP_SPREADS = (0.02, 0.1, 0.25, 0.5, 1.0)
PASSES = 2
# Of the intercepts of tiers, on the logit (science.md 4.3). The shipped base rates of the tiers lie
# so far apart: 8, 18 and 30 % (`standards.json`).
TIER_SPREAD = 0.65


def plain_logistic(table: Table) -> Linear:
    """The control of every comparison: L2 with C = 1, no opinion beforehand, no averaging."""
    preparation = prepare(table)
    x = with_intercept(preparation.design(table.x))
    precision = np.ones(x.shape[1])
    precision[0] = 1e-6
    found = posterior(x, table.y, np.zeros(x.shape[1]), precision)
    # a plain logistic does not know how unsure it is
    return Linear(preparation, found.beta, np.zeros_like(found.covariance), {"tau": 1.0})


def expert_logistic(table: Table, *, base: float | None = None) -> Linear:
    """L1. `base`: the rate believed before any outcome; None: the rate of the rows."""
    return _learned(table, guessing(table, prepare(table)), base, bent=False)


def bent_logistic(table: Table, *, base: float | None = None) -> Linear:
    """The GAM of L2: L1 with hinges."""
    return _learned(table, guessing(table, prepare(table, bends=True)), base, bent=True)


def expert_mean(table: Table, preparation: Preparation) -> Floats:
    """sign x weight of each term, as a direction of length 1; all 0 when no sign is known."""
    said = np.array(
        [
            table.features[term.feature].sign * table.features[term.feature].weight
            if term.part == "value"
            else 0.0
            for term in preparation.terms
        ]
    )
    size = float(np.sqrt(np.sum(said * said)))
    return said / size if size > 0 else said


@dataclass(frozen=True)
class _Tried:
    """Settings that the evidence judges: one point of what is searched."""

    k: float
    tau: float
    group: float = GROUP_SPREADS[0]
    bend: float = SPREADS[0]


def _learned(table: Table, preparation: Preparation, base: float | None, *, bent: bool) -> Linear:
    design = preparation.design(table.x)
    mean = expert_mean(table, preparation)
    directions = _group_directions(table, preparation, mean)
    x = np.column_stack([with_intercept(design), design @ directions])
    is_bend = np.array([part == "bend" for part in preparation.parts], dtype=bool)
    of_tier = _tier_spreads(table, preparation)
    together = _told_together(preparation, design)
    centre = float(logit_of(np.array(table.y.mean() if base is None else base), 0.005))
    fits: dict[_Tried, Posterior] = {}
    last: list[Posterior] = []

    def evidence(at: _Tried) -> float:
        if at not in fits:
            prior = np.concatenate([[centre], at.k * mean, np.zeros(directions.shape[1])])
            free = np.where(is_bend, at.bend, at.tau / np.sqrt(together))
            free = np.where(np.isnan(of_tier), free, of_tier)
            of_groups = np.full(directions.shape[1], at.group)
            spread = np.concatenate([[INTERCEPT_SPREAD], free, of_groups])
            start = last[-1].beta if last else None
            fits[at] = posterior(x, table.y, prior, spread**-2.0, start=start, weight=table.weight)
            last.append(fits[at])
        return fits[at].evidence

    best = _search(
        evidence,
        strengths=STRENGTHS if mean.any() else (0.0,),
        groups=GROUP_SPREADS if directions.shape[1] else (),
        bends=SPREADS if bent and is_bend.any() else (),
    )
    found = averaged(list(fits.values()))
    back = _folded_back(directions)
    settings = {"k": best.k, "tau": best.tau, "tau_group": best.group, "tau_bend": best.bend}
    return Linear(preparation, back @ found.beta, back @ found.covariance @ back.T, settings)


def _group_directions(table: Table, preparation: Preparation, mean: Floats) -> Floats:
    """[terms, groups]: the expert's direction within each group, all of them as long together as
    the whole. A group of one term is left out, for tau says as much, and where there is but one
    group, k does."""
    group = np.array([table.features[term.feature].group for term in preparation.terms])
    each = {name: np.where(group == name, mean, 0.0) for name in sorted(set(group.tolist()))}
    several = [part for part in each.values() if np.count_nonzero(part) > 1]
    if len(several) < 2:
        return np.zeros((len(mean), 0))
    parts = np.column_stack(several)
    return np.asarray(parts / np.sqrt((parts * parts).sum(axis=0) * len(several)), dtype=np.float64)


def _folded_back(directions: Floats) -> Floats:
    """From coefficients of terms and of groups to coefficients of terms alone."""
    terms, groups = directions.shape
    back = np.zeros((1 + terms, 1 + terms + groups))
    back[:, : 1 + terms] = np.eye(1 + terms)
    back[1:, 1 + terms :] = directions
    return back


def _told_together(preparation: Preparation, design: Floats) -> Floats:
    """Of how many columns each unknown flag tells the same; 1 for all others.

    A source that is silent leaves all its columns unknown at once. That is one fact: as many free
    coefficients as it has columns would believe it as many times.
    """
    told = np.ones(len(preparation.parts))
    flags = np.array([part == "unknown" for part in preparation.parts], dtype=bool)
    if flags.sum() > 1:
        alike = np.nan_to_num(np.corrcoef(design[:, flags].T)) ** 2
        told[flags] = np.maximum(alike.sum(axis=1), 1.0)
    return told


def _tier_spreads(table: Table, preparation: Preparation) -> Floats:
    """The prior spread of each tier's flag, in units of its column; nan for all others."""
    return np.array(
        [
            TIER_SPREAD * term.spread
            if table.features[term.feature].key.startswith(PREFIX)
            else np.nan
            for term in preparation.terms
        ]
    )


def _search(
    evidence: Callable[[_Tried], float],
    *,
    strengths: Sequence[float],
    groups: Sequence[float],
    bends: Sequence[float],
) -> _Tried:
    """The settings of the highest evidence: the whole grid of (k, tau), then one after another."""
    best = max((_Tried(k, tau) for tau in SPREADS for k in strengths), key=evidence)
    for _ in range(PASSES if groups or bends else 0):
        for name, values in (
            ("group", groups),
            ("bend", bends),
            ("tau", SPREADS),
            ("k", strengths),
        ):
            if values:
                best = max((replace(best, **{name: value}) for value in values), key=evidence)
    return best
