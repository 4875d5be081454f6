"""How much each member counts: weights that are never negative, learned from logits out of fold,
held near the plain average (science.md 4.3).

Their sum is free, within the prior: members that are too bold or too timid together are drawn in
or out, so that pure noise ends near the base rate.
"""

import numpy as np

from gengyun.churn.calc.logistic import expit, log_loss
from gengyun.churn.calc.table import Floats, Ints

WEIGHT_SPREAD = 0.3  # of the prior around 1 / members
# What lies later shares the luck of a few quarters (0.25 on the logit, science.md 6), and landmarks
# repeat outcomes: a shift seen there is hardly to be believed. Measured on worlds: less is better.
INTERCEPT_SPREAD = 0.05
ROUNDS = 400


def average(members: int) -> Floats:
    """The intercept and one weight each: 0 and 1 / members."""
    return np.concatenate([[0.0], np.full(members, 1 / members)])


def line(risk: Floats, y: Floats) -> Floats:
    """Intercept and slope, not below 0, of one score that is no logit yet."""
    return stacked(risk[:, None], y, spread=1.0, shift=3.0)


def stacked(
    logits: Floats, y: Floats, *, spread: float = WEIGHT_SPREAD, shift: float = INTERCEPT_SPREAD
) -> Floats:
    """Intercept and weights for `logits` [rows, members], by projected Newton steps."""
    rows, members = logits.shape
    x = np.column_stack([np.ones(rows), logits])
    centre = average(members)
    precision = np.concatenate([[shift**-2.0], np.full(members, spread**-2.0)])
    beta = centre.copy()
    loss = _loss(x, y, beta, centre, precision)
    for _ in range(ROUNDS):
        p = expit(x @ beta)
        gradient = x.T @ (p - y) + precision * (beta - centre)
        bound = (beta <= 0) & (gradient > 0)
        bound[0] = False
        free = ~bound
        curvature = (x[:, free] * (p * (1 - p))[:, None]).T @ x[:, free]
        curvature[np.diag_indices_from(curvature)] += precision[free]
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(curvature, gradient[free])
        size, tried, tried_loss = 1.0, beta, loss
        while size > 1e-6:
            tried = beta - size * step
            tried[1:] = np.maximum(tried[1:], 0.0)
            tried_loss = _loss(x, y, tried, centre, precision)
            if tried_loss <= loss:
                break
            size /= 2
        if loss - tried_loss < 1e-8 * (1 + abs(loss)):
            break
        beta, loss = tried, tried_loss
    return beta


def mixed(weights: Floats, logits: Floats) -> Floats:
    return np.asarray(weights[0] + logits @ weights[1:], dtype=np.float64)


def out_of_fold(logits: Floats, y: Floats, group: Ints) -> Floats:
    """Each row mixed by weights that the other groups chose."""
    found = np.empty(len(y))
    for g in np.unique(group):
        ours = group == g
        found[ours] = mixed(stacked(logits[~ours], y[~ours]), logits[ours])
    return found


def _loss(x: Floats, y: Floats, beta: Floats, centre: Floats, precision: Floats) -> float:
    gap = beta - centre
    return float(log_loss(x @ beta, y).sum() + 0.5 * np.sum(precision * gap * gap))
