"""The logistic members: plain (the control), with the expert's prior (L1), and with bends (L2).

L1: coefficients are centred on k times the expert's weights; how far the data may pull them away,
tau, and k itself are judged by the evidence (science.md 4.3). L2 adds two hinges a number with a
spread of their own. What is tried is averaged by its evidence instead of taking the best alone.
The evidence is of renewals: landmarks of one count together as one (`Table.weight`).
"""

from collections.abc import Callable, Sequence

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
from gengyun.churn.calc.prepare import Preparation, prepare
from gengyun.churn.calc.table import Floats, Table
from gengyun.churn.calc.tiers import PREFIX

STRENGTHS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)  # k
SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # tau
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
    return _learned(table, prepare(table), base, bent=False)


def bent_logistic(table: Table, *, base: float | None = None) -> Linear:
    """The GAM of L2: L1 with hinges."""
    return _learned(table, prepare(table, bends=True), base, bent=True)


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


def _learned(table: Table, preparation: Preparation, base: float | None, *, bent: bool) -> Linear:
    x, y, weight = with_intercept(preparation.design(table.x)), table.y, table.weight
    mean = expert_mean(table, preparation)
    is_bend = np.array([part == "bend" for part in preparation.parts], dtype=bool)
    of_tier = _tier_spreads(table, preparation)
    centre = float(logit_of(np.array(y.mean() if base is None else base), 0.005))
    fits: dict[tuple[float, float, float], Posterior] = {}
    last: list[Posterior] = []

    def fit(k: float, tau: float, tau_bend: float) -> Posterior:
        if (k, tau, tau_bend) not in fits:
            prior = np.concatenate([[centre], k * mean])
            free = np.where(is_bend, tau_bend, np.where(np.isnan(of_tier), tau, of_tier))
            spread = np.concatenate([[INTERCEPT_SPREAD], free])
            start = last[-1].beta if last else None
            found = posterior(x, y, prior, spread**-2.0, start=start, weight=weight)
            fits[k, tau, tau_bend] = found
            last.append(found)
        return fits[k, tau, tau_bend]

    best = _search(
        fit, strengths=STRENGTHS if mean.any() else (0.0,), bent=bent and bool(is_bend.any())
    )
    together = averaged(list(fits.values()))
    settings = dict(zip(("k", "tau", "tau_bend"), best, strict=True))
    return Linear(preparation, together.beta, together.covariance, settings)


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
    fit: Callable[[float, float, float], Posterior], *, strengths: Sequence[float], bent: bool
) -> tuple[float, float, float]:
    """The settings of the highest evidence: the whole grid of (k, tau), then tau of the bends."""
    grid = [(k, tau, SPREADS[0]) for tau in SPREADS for k in strengths]
    best = max(grid, key=lambda at: fit(*at).evidence)
    for _ in range(PASSES if bent else 0):
        best = max(((*best[:2], tau) for tau in SPREADS), key=lambda at: fit(*at).evidence)
        best = max(((best[0], tau, best[2]) for tau in SPREADS), key=lambda at: fit(*at).evidence)
        best = max(((k, *best[1:]) for k in strengths), key=lambda at: fit(*at).evidence)
    return best
