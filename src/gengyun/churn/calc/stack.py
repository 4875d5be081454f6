"""How much each member counts: weights that are never negative, learned from logits out of fold,
held near the plain average (science.md 4.3).

Which member is better shows soon. Whether all of them together are too bold or too timid hardly
does: their sum is held near 1 more tightly, and gives way only to many outcomes.
"""

import numpy as np

from gengyun.churn.calc.logistic import expit, log_loss
from gengyun.churn.calc.table import Floats

WEIGHT_SPREAD = 0.15  # of the prior around 1 / members
# Of the prior of their sum around 1. What is judged out of fold was learned from fewer outcomes
# than the model that will use the weights, and lies in a few quarters: on worlds of 110 to 150
# losses a free sum cost more than it brought (docs/churn-models.md).
SUM_SPREAD = 0.05
# What lies later shares the luck of a few quarters (0.25 on the logit, science.md 6), and landmarks
# repeat outcomes: a shift seen there is hardly to be believed. Measured on worlds: less is better.
INTERCEPT_SPREAD = 0.05
ROUNDS = 400


def average(members: int) -> Floats:
    """The intercept and one weight each: 0 and 1 / members."""
    return np.concatenate([[0.0], np.full(members, 1 / members)])


def line(risk: Floats, y: Floats) -> Floats:
    """Intercept and slope, not below 0, of one score that is no logit yet."""
    return stacked(risk[:, None], y, spread=1.0, sum_spread=1e3, shift=3.0)


def stacked(
    logits: Floats,
    y: Floats,
    counts: Floats | None = None,
    *,
    spread: float = WEIGHT_SPREAD,
    sum_spread: float = SUM_SPREAD,
    shift: float = INTERCEPT_SPREAD,
) -> Floats:
    """Intercept and weights for `logits` [rows, members], by projected Newton steps; `counts`: what
    each row counts for (`Table.weight`)."""
    rows, members = logits.shape
    counts = np.ones(rows) if counts is None else counts
    x = np.column_stack([np.ones(rows), logits])
    centre = average(members)
    precision = np.diag(np.concatenate([[shift**-2.0], np.full(members, spread**-2.0)]))
    precision[1:, 1:] += sum_spread**-2.0
    beta = centre.copy()
    loss = _loss(x @ beta, y, counts, beta - centre, precision)
    for _ in range(ROUNDS):
        p = expit(x @ beta)
        gradient = x.T @ (counts * (p - y)) + precision @ (beta - centre)
        bound = (beta <= 0) & (gradient > 0)
        bound[0] = False
        free = ~bound
        curvature = (x[:, free] * (counts * p * (1 - p))[:, None]).T @ x[:, free]
        curvature += precision[np.ix_(free, free)]
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(curvature, gradient[free])
        size, tried, tried_loss = 1.0, beta, loss
        while size > 1e-6:
            tried = beta - size * step
            tried[1:] = np.maximum(tried[1:], 0.0)
            tried_loss = _loss(x @ tried, y, counts, tried - centre, precision)
            if tried_loss <= loss:
                break
            size /= 2
        if loss - tried_loss < 1e-8 * (1 + abs(loss)):
            break
        beta, loss = tried, tried_loss
    return beta


def mixed(weights: Floats, logits: Floats) -> Floats:
    return np.asarray(weights[0] + logits @ weights[1:], dtype=np.float64)


def _loss(logit: Floats, y: Floats, counts: Floats, gap: Floats, precision: Floats) -> float:
    return float(counts @ log_loss(logit, y) + 0.5 * gap @ precision @ gap)
