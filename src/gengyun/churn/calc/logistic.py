"""Logistic regression with a Gaussian prior: fitted by Newton, its evidence by Laplace, its
predictions drawn towards even where it is unsure (MacKay, "The evidence framework applied to
classification networks", 1992).
"""

from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.table import Floats

ROUNDS = 60
SETTLED = 1e-7
INTERCEPT_SPREAD = 3.0  # of the prior around the base rate, on the logit (science.md 4.3)


@dataclass(frozen=True)
class Posterior:
    """Coefficients, the intercept first; `evidence` is the log of the marginal likelihood."""

    beta: Floats
    covariance: Floats
    evidence: float


def expit(logit: Floats) -> Floats:
    return np.where(
        logit >= 0, 1 / (1 + np.exp(-np.abs(logit))), 1 - 1 / (1 + np.exp(-np.abs(logit)))
    )


def logit_of(p: Floats, least: float = 1e-6) -> Floats:
    p = np.clip(p, least, 1 - least)
    return np.log(p / (1 - p))


def log_loss(logit: Floats, y: Floats) -> Floats:
    """Of each row; stable for any logit."""
    return np.logaddexp(0.0, logit) - y * logit


def with_intercept(design: Floats) -> Floats:
    return np.column_stack([np.ones(len(design)), design])


def posterior(
    x: Floats,
    y: Floats,
    mean: Floats,
    precision: Floats,
    *,
    start: Floats | None = None,
    weight: Floats | None = None,
) -> Posterior:
    """The mode of sum weight log-loss + sum precision (beta - mean)^2 / 2, and the curvature there.

    `x` holds the intercept's column too; `weight` of each row, 1 unless told. A step that does not
    help is halved.
    """
    beta = mean.copy() if start is None else start.copy()
    counts = np.ones(len(y)) if weight is None else weight
    loss = _loss(x @ beta, y, counts, beta - mean, precision)
    for _ in range(ROUNDS):
        p = expit(x @ beta)
        gradient = x.T @ (counts * (p - y)) + precision * (beta - mean)
        step = np.linalg.solve(_curvature(x, p, precision, counts), gradient)
        size = 1.0
        while size > 1e-4:
            tried = beta - size * step
            tried_loss = _loss(x @ tried, y, counts, tried - mean, precision)
            if tried_loss <= loss:
                break
            size /= 2
        else:
            break
        settled = loss - tried_loss < SETTLED * (1 + abs(loss))
        beta, loss = tried, tried_loss
        if settled:
            break
    curvature = _curvature(x, expit(x @ beta), precision, counts)
    free = precision > 0
    evidence = (
        -loss + 0.5 * np.log(precision[free]).sum() - 0.5 * float(np.linalg.slogdet(curvature)[1])
    )
    covariance: Floats = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    return Posterior(beta, covariance, float(evidence))


def averaged(found: list[Posterior]) -> Posterior:
    """One Gaussian for several, each weighed by its evidence (Bayesian model averaging)."""
    evidence = np.array([one.evidence for one in found])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    beta = sum((w * one.beta for w, one in zip(share, found, strict=True)), np.zeros(1))
    covariance = np.zeros_like(found[0].covariance)
    for weight, one in zip(share, found, strict=True):
        if weight > 1e-6:
            gap = one.beta - beta
            covariance += weight * (one.covariance + np.outer(gap, gap))
    return Posterior(beta, covariance, float(evidence.max()))


def variance(x: Floats, covariance: Floats) -> Floats:
    """Of the logit of each row; `x` with the intercept's column."""
    return np.asarray(np.einsum("ij,ij->i", x @ covariance, x), dtype=np.float64)


def moderated(logit: Floats, spread2: Floats) -> Floats:
    """MacKay 1992: the logit of the probability averaged over what the coefficients may be."""
    return logit / np.sqrt(1 + np.pi * spread2 / 8)


def _loss(logit: Floats, y: Floats, weight: Floats, gap: Floats, precision: Floats) -> float:
    return float(weight @ log_loss(logit, y) + 0.5 * np.sum(precision * gap * gap))


def _curvature(x: Floats, p: Floats, precision: Floats, weight: Floats) -> Floats:
    informs = weight * np.maximum(p * (1 - p), 1e-9)
    made: Floats = (x * informs[:, None]).T @ x
    made[np.diag_indices_from(made)] += np.maximum(precision, 1e-9)
    return made
