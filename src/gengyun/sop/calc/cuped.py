"""The same difference, more exact: what was known before explains part of the outcome (CUPED).

Deng, Xu, Kohavi and Walker 2013; with shares it is the linear regression of the outcome on the arm
and the covariates. Covariates are frozen on the day a customer enters, before anything was done: a
later value would carry the effect away with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST = 10  # of the smaller arm, and as many rows per covariate, before anything is adjusted


@dataclass(frozen=True, slots=True)
class Difference:
    """Worked on less held out. `reduction`: share of the plain difference's variance that the
    covariates took away; `used`: how many covariates did."""

    value: float
    variance: float
    plain: float
    plain_variance: float
    reduction: float
    used: int


def difference(y: Floats, treated: Flags, covariates: Floats | None = None) -> Difference | None:
    """`covariates`: [row, covariate], nan unknown. None: fewer than two in an arm.

    One slope for both arms; unknown values stand at the mean, with a flag of their own. The
    variance is robust to arms of unlike spread (HC2), and never below that of a common spread: in a
    small hold-out in which few had the outcome, the robust one alone covers 85 to 93 %.
    """
    count, hold = int(treated.sum()), int((~treated).sum())
    if min(count, hold) < 2:
        return None
    plain, plain_variance = _fit(y, treated, np.empty((len(y), 0)))
    columns: list[Floats] = []
    if covariates is not None:
        columns = prepared(covariates, treated, most=min(count, hold) // LEAST)
    if not columns:
        return Difference(plain, plain_variance, plain, plain_variance, 0.0, 0)
    x = np.column_stack(columns)
    value, variance = _fit(y, treated, x)
    reduction = 1 - variance / plain_variance if plain_variance > 0 else 0.0
    return Difference(value, variance, plain, plain_variance, reduction, x.shape[1])


def prepared(covariates: Floats, treated: Flags, *, most: int) -> list[Floats]:
    """At most so many columns, centred, each of which says something that the arm and the columns
    before it do not."""
    columns: list[Floats] = []
    for column in covariates.T:
        unknown = np.isnan(column)
        if unknown.all():
            continue
        filled = np.where(unknown, np.mean(column[~unknown]), column)
        columns += [filled - filled.mean(), unknown - unknown.mean()]
    kept, arm = list[Floats](), treated.astype(np.float64)
    for column in columns:
        spread = float(column.std())
        if len(kept) < most and spread > 1e-12 and _says_more(column / spread, [arm, *kept]):
            kept.append(column / spread)
    return kept


def _says_more(column: Floats, beside: Sequence[Floats]) -> bool:
    x = np.column_stack([np.ones(len(column)), *beside]).astype(np.float64)
    rest = column - x @ np.linalg.lstsq(x, column, rcond=None)[0]
    return float(rest.std()) > 1e-6


def _fit(y: Floats, treated: Flags, x: Floats) -> tuple[float, float]:
    """(effect, its variance) of the regression of y on the arm and x."""
    rows = np.column_stack([np.ones(len(y)), treated, x])
    inverse = np.linalg.inv(rows.T @ rows)
    beta = inverse @ (rows.T @ y)
    rest = y - rows @ beta
    weight = rows @ inverse[1]  # of each row in the effect
    leverage = np.sum(rows @ inverse * rows, axis=1)
    robust = float(np.sum((weight * rest) ** 2 / np.maximum(1 - leverage, 1e-6)))
    common = float(rest @ rest) / max(len(y) - rows.shape[1], 1) * float(inverse[1, 1])
    return float(beta[1]), max(robust, common)
