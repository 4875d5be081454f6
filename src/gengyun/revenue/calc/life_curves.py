"""A fitted curve beside what was seen: how many are left after each renewal.

Kaplan & Meier (1958) assumes nothing and ends where the data end; the shifted beta-geometric
(Fader & Hardie 2007) goes on. Where the two part, the curve is not to be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """After the n-th renewal: share of all that began."""

    number: int
    at_risk: int  # who came to this renewal
    lost: int
    seen: float  # Kaplan-Meier
    fitted: float  # sBG


def steps(left: Sequence[int], staying: Sequence[int], alpha: float, beta: float) -> list[Step]:
    """`left[n-1]`: lost at the n-th renewal; `staying[n-1]`: have passed n and are still there.

    Who is there with no renewal yet says nothing of any.
    """
    at_risk = sum(left) + sum(staying)
    found, seen, fitted = [], 1.0, 1.0
    for number, (lost, rest) in enumerate(zip(left, staying, strict=True), 1):
        if at_risk <= 0:
            break
        seen *= 1 - lost / at_risk
        fitted *= (beta + number - 1) / (alpha + beta + number - 1)
        found.append(Step(number, at_risk, lost, seen, fitted))
        at_risk -= lost + rest
    return found
