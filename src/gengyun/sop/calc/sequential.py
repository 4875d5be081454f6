"""An interval that may be looked at every day (mixture sequential probability ratio test).

An ordinary 95 % interval that is looked at daily until it leaves zero does so sooner or later
whether or not there is anything: see `gengyun bench sop-effect`. This one holds at all looks at
once, so that "cannot conclude yet" is an answer and stopping when it can is allowed.

Normal mixture N(0, τ²) over the effect: Robbins 1970; Johari, Koomen, Pekelis and Walsh 2017; for
estimated variances Waudby-Smith and others 2021 (asymptotic confidence sequences).
"""

import math

from gengyun.sop.calc.effect import LEVEL, Interval

# looks begin when each arm has so many known outcomes: before, the variance is a guess
LEAST_PER_ARM = 20


def always_valid(value: float, variance: float, *, worth: float, level: float = LEVEL) -> Interval:
    """`value` ± sqrt(V (V + τ²) / τ² · (log((V + τ²) / V) − 2 log α)), V the variance of the
    estimate, τ = `worth`: the effect that was worth seeing, declared before the start. Another τ
    only moves where it is narrowest (about where that effect has a fair chance to be seen)."""
    if not variance:
        return Interval(value, value, value)
    half = multiplier(variance, worth=worth, level=level) * math.sqrt(variance)
    return Interval(value, value - half, value + half)


def multiplier(variance: float, *, worth: float, level: float = LEVEL) -> float:
    """Half width in standard errors: about 3 at its best, where an ordinary interval has 1.96."""
    ratio = worth * worth / variance
    alpha = 1 - level
    return math.sqrt((1 + ratio) / ratio * (math.log1p(ratio) - 2 * math.log(alpha)))


def always_valid_p(value: float, variance: float, *, worth: float) -> float:
    """One over the mixture likelihood ratio, at most 1: below α exactly where the interval of
    level 1 − α leaves zero out."""
    if not variance:
        return 0.0 if value else 1.0
    tau = worth * worth
    log_ratio = 0.5 * math.log(variance / (variance + tau))
    log_ratio += tau * value * value / (2 * variance * (variance + tau))
    return min(1.0, math.exp(-log_ratio)) if log_ratio < 700 else 0.0
