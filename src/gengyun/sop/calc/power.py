"""What a hold-out can show, and when: said before an SOP starts and while it runs.

Power is that of the interval that may be looked at daily, at its last look: an ordinary interval
would promise more than the page then says.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

from gengyun.sop.calc.effect import LEVEL, NORMAL
from gengyun.sop.calc.sequential import LEAST_PER_ARM, multiplier

POWER = 0.80
WORTH = 0.10  # difference of shares worth seeing, where nobody declared another
WORTH_OF_SPREAD = 0.30  # of other outcomes, in standard deviations
MOST_EXPLAINED = 0.95  # more is an accident of few
LONGEST = timedelta(days=10 * 365)


@dataclass(frozen=True, slots=True)
class Plan:
    """`spread`: standard deviation of the outcome of one; `explained`: share of its variance that
    is known before (CUPED); `share`: held out."""

    share: float
    spread: float
    worth: float
    explained: float = 0.0

    def variance(self, treat: float, holdout: float) -> float:
        left = 1 - min(max(self.explained, 0.0), MOST_EXPLAINED)
        return self.spread**2 * left * (1 / treat + 1 / holdout)


def spread_of_share(base: float) -> float:
    """Of a yes-or-no outcome with this share of yes; at the edges that of 5 %."""
    p = min(max(base, 0.05), 0.95)
    return math.sqrt(p * (1 - p))


def power(plan: Plan, *, treat: float, holdout: float, effect: float | None = None) -> float:
    """Chance that the daily interval leaves zero on the right side, with so many known outcomes."""
    if min(treat, holdout) < LEAST_PER_ARM:
        return 0.0
    variance = plan.variance(treat, holdout)
    error = math.sqrt(variance)
    sizes = multiplier(variance, worth=plan.worth)
    return NORMAL.cdf(abs(plan.worth if effect is None else effect) / error - sizes)


def fixed_power(
    plan: Plan, *, treat: float, holdout: float, effect: float, level: float = LEVEL
) -> float:
    """The same of one ordinary test, once, at the end; `level` 0.90: one-sided at 5 %."""
    error = math.sqrt(plan.variance(treat, holdout))
    return NORMAL.cdf(abs(effect) / error - NORMAL.inv_cdf(0.5 + level / 2))


def detectable(plan: Plan, *, treat: float, holdout: float, chance: float = POWER) -> float | None:
    """Smallest effect with that chance to be seen; None: too few for any."""
    if min(treat, holdout) < LEAST_PER_ARM:
        return None
    variance = plan.variance(treat, holdout)
    sizes = multiplier(variance, worth=plan.worth) + NORMAL.inv_cdf(chance)
    return sizes * math.sqrt(variance)


def needed(plan: Plan, *, effect: float | None = None, chance: float = POWER) -> int | None:
    """Known outcomes of both arms together; None: nobody is held out, or no effect is named."""
    size = plan.worth if effect is None else abs(effect)
    if not 0 < plan.share < 1 or not size > 0:
        return None

    def seen(n: int) -> bool:
        return (
            power(plan, treat=n * (1 - plan.share), holdout=n * plan.share, effect=size) >= chance
        )

    low, high = 0, 64
    while not seen(high):
        low, high = high, high * 2
        if high > 1 << 40:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class When:
    """`missing`: known outcomes that are still needed; `on`: the day on which they will be there at
    the pace so far, None: not within ten years, or the pace is not known."""

    needed: int
    missing: int
    on: date | None


def concludes(
    plan: Plan, *, today: date, known: int, waiting: int, per_day: float, wait_days: int
) -> When | None:
    """When an effect worth seeing could be seen. `known`: outcomes so far; `waiting`: entered, the
    outcome comes within `wait_days`; `per_day`: entries a day, both arms together."""
    count = needed(plan)
    if count is None:
        return None
    missing = max(0, count - known)
    if not missing:
        return When(count, 0, today)
    more = missing - waiting  # who has still to enter
    if more <= 0:
        days = math.ceil(wait_days * missing / waiting)
    elif per_day > 0:
        days = math.ceil(min(more / per_day, 1e6)) + wait_days
    else:
        return When(count, missing, None)
    return When(count, missing, None if days > LONGEST.days else today + timedelta(days=days))
