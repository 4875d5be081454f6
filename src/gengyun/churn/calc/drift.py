"""Is the world still what the model learned? Inputs that moved, outcomes that came otherwise.

Pure numpy. science.md 4.3, "Drift".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.table import Floats

BINS = 10
PSI_WARNS = 0.25  # science.md 4.3
UNKNOWN_WARNS = 0.25  # of all rows: a source has stopped, or was never connected where it matters
RECALIBRATES, RETRAINS = 2.5, 3.5  # of the calibration CUSUM, science.md 4.3
SHIFT_SPREAD = 0.5  # prior of an intercept shift on the logit: N(0, 0.5²)


def reference(x: Floats, keys: Sequence[str]) -> dict[str, Any]:
    """How each input was spread when the model learned, as JSON: {key: {edges, shares, rows,
    unknown}}: shares of the known between `edges` (deciles, equal ones once), share of unknown."""
    found: dict[str, Any] = {}
    for place, key in enumerate(keys):
        column = x[:, place]
        known = column[~np.isnan(column)]
        steps = np.arange(1, BINS) / BINS
        edges = np.unique(np.quantile(known, steps, method="higher")) if len(known) else np.empty(0)
        kept = [float(f"{edge:.6g}") for edge in edges]
        found[key] = {
            "edges": kept,
            "shares": [round(float(share), 6) for share in _shares(known, kept)],
            "rows": len(known),
            "unknown": round(1 - len(known) / max(len(column), 1), 4),
        }
    return found


def _shares(known: Floats, edges: Sequence[float]) -> Floats:
    """Of each bin; half a row more in each, so that none is empty."""
    place = np.searchsorted(np.asarray(edges, dtype=np.float64), known, side="left")
    counts = np.bincount(place, minlength=len(edges) + 1).astype(np.float64) + 0.5
    return np.asarray(counts / counts.sum())


@dataclass(frozen=True)
class Moved:
    """Population stability index of what is known of one input, what of it chance alone would give,
    and by how much the share of unknown grew. That more is known than before is no drift."""

    psi: float
    by_chance: float
    unknown_grew: float = 0.0

    def is_over(self, limit: float = PSI_WARNS) -> bool:
        return self.psi - self.by_chance > limit or self.unknown_grew > UNKNOWN_WARNS


def stability(kept: Mapping[str, Any], x: Floats, keys: Sequence[str]) -> dict[str, Moved]:
    """PSI = Σ (a − e) ln(a / e) of each input against what the model learned from.

    Under no change its mean is about (bins − 1)(1/n + 1/m) (Yurdakul 2018), which a small portfolio
    passes without anything having moved: that part is told apart.
    """
    found: dict[str, Moved] = {}
    if not len(x):
        return found
    for place, key in enumerate(keys):
        if key not in kept:
            continue
        was, known = kept[key], x[~np.isnan(x[:, place]), place]
        grew = 1 - len(known) / len(x) - was["unknown"]
        if not len(known) or not was["rows"]:
            found[key] = Moved(0.0, 0.0, grew)
            continue
        expected = np.asarray(was["shares"], dtype=np.float64)
        actual = _shares(known, was["edges"])
        psi = float(((actual - expected) * np.log(actual / expected)).sum())
        chance = (len(expected) - 1) * (1 / len(known) + 1 / was["rows"])
        found[key] = Moved(psi, chance, grew)
    return found


def cusum(y: Floats, p: Floats) -> float | None:
    """Σ(y − p) / √Σp(1−p) over the decided renewals since the model is in use; None for none.

    About standard normal while the probabilities hold; above 0 more are lost than was said.
    """
    spread = float((p * (1 - p)).sum())
    return float((y - p).sum()) / float(np.sqrt(spread)) if spread > 0 else None


def action_of(
    value: float | None, *, recalibrates: float = RECALIBRATES, retrains: float = RETRAINS
) -> str:
    """none, recalibrate or retrain."""
    if value is None or abs(value) <= recalibrates:
        return "none"
    return "recalibrate" if abs(value) <= retrains else "retrain"


def intercept_shift(y: Floats, logit: Floats) -> float:
    """The shift of the logit under which the outcomes are most likely; prior N(0, SHIFT_SPREAD²).

    Solves Σ(y − expit(logit + d)) = d / SHIFT_SPREAD² by Newton's method (concave objective).
    """
    shift = 0.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(logit + shift)))
        slope = float((p * (1 - p)).sum()) + SHIFT_SPREAD**-2
        step = (float((y - p).sum()) - shift / SHIFT_SPREAD**2) / slope
        shift += step
        if abs(step) < 1e-9:
            break
    return shift
