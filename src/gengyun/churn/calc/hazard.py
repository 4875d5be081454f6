"""Leaving before the contract ends, and how it joins the renewal to p within h days
(science.md 4.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.observed import Dues
from gengyun.churn.calc.table import Floats, Ints
from gengyun.churn.calc.target import day_number, outcomes
from gengyun.churn.calc.windows import NO_DAY, numbers

MONTH = 30.4375
# assumption: one contract in eighty ends early in a year; believed as much as twenty contract-years
PRIOR_MONTHLY, PRIOR_MONTHS = 0.0125 / 12, 240.0
TIER_MONTHS = 600.0  # contract-months that the company's own rate is worth in a tier


@dataclass(frozen=True)
class Midterm:
    """Early ends per contract-month: of the company, and of each tier shrunk towards it."""

    monthly: float
    by_tier: dict[int, float]
    ends: int
    months: float

    def of(self, tier: npt.ArrayLike) -> Floats:
        wanted = np.asarray(tier, np.int64)
        return np.array([self.by_tier.get(int(one), self.monthly) for one in wanted.reshape(-1)])


def gamma_poisson(
    ends: float, months: float, *, prior: float = PRIOR_MONTHLY, worth: float = PRIOR_MONTHS
) -> float:
    """(d + a) / (exposure + b): the rate after `ends` in `months`, of a prior worth `worth` months.

    The mean of the posterior Gamma(a + d, b + exposure) of a Poisson rate, a = prior x worth.
    """
    return (ends + prior * worth) / (months + worth)


def midterm(dues: Dues, tier: Ints, *, cutoff: date) -> Midterm:
    """Of fixed terms, as known before the cut-off. `tier`: per row of dues, -1 unknown."""
    now = day_number(cutoff)
    starts, due, ended = numbers(dues.starts), numbers(dues.due), numbers(dues.ended)
    fixed = (dues.period_months == 0) & (starts != NO_DAY) & (starts < now)
    early = outcomes(dues, cutoff=cutoff).is_midterm & fixed & (dues.involuntary == 0)
    stop = np.minimum(due + 1, now)
    stop = np.where((ended != NO_DAY) & (ended < stop), ended, stop)
    months = np.where(fixed, np.maximum(stop - starts, 0) / MONTH, 0.0)
    # one contract of several groups is one risk: a customer's group counts for itself all the same
    all_ends, all_months = float(early.sum()), float(months.sum())
    company = gamma_poisson(all_ends, all_months)
    tiers: Mapping[int, tuple[float, float]] = {
        int(one): (float(early[tier == one].sum()), float(months[tier == one].sum()))
        for one in np.unique(tier[tier >= 0])
    }
    return Midterm(
        company,
        {
            one: gamma_poisson(ends, held, prior=company, worth=TIER_MONTHS)
            for one, (ends, held) in tiers.items()
        },
        int(all_ends),
        all_months,
    )


def within(
    p_renewal: Floats,
    lag: Ints,
    monthly: Floats,
    horizon: int,
    *,
    period_months: Ints | None = None,
) -> Floats:
    """p of leaving within `horizon` days: the renewal falls in (t, t + h] or only the early end.

    1 - (1 - h_mid)(1 - p) with h_mid over the months up to the due date or the horizon. A renewal
    that is overdue (lag <= 0) is asked about now. What runs on by itself (`period_months` above 0)
    comes due again and again: 1 - (1 - p)^n for the n times within the horizon, and has no early
    end besides. nan where p is unknown and needed.
    """
    ahead = np.asarray(lag)
    early = 1 - (1 - np.clip(monthly, 0, 1)) ** (np.clip(ahead, 0, horizon) / MONTH)
    falls = ahead <= horizon
    fixed = np.where(falls, 1 - (1 - early) * (1 - p_renewal), early)
    if period_months is None or not (period_months > 0).any():
        return fixed
    length = np.maximum(period_months, 1) * MONTH
    times = np.where(falls, 1 + np.floor((horizon - np.maximum(ahead, 0)) / length), 0.0)
    again = np.where(times > 0, 1 - (1 - p_renewal) ** times, 0.0)
    return np.where(period_months > 0, again, fixed)
