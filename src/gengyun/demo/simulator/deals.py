"""What customers of a simulated world sign, renew, shrink and end (science.md 9).

Every constant is an assumption of this project. `DealWorld.terms` and `changes` are what the
product may see, with the day each became known; `truth` is what it may not. The demo company and
the measurement of the forecast draw from the same functions.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gengyun.demo.simulator.config import TIERS

Floats = npt.NDArray[np.float64]

# relative weight of a start by month: budgets are spent in December, February is Spring Festival
MONTH_WEIGHT = (1.0, 0.4, 1.2, 1.0, 1.0, 1.4, 0.9, 0.9, 1.2, 0.9, 1.0, 2.2)
TERM_MONTHS, TERM_SHARE = (12, 24, 36), (0.86, 0.09, 0.05)
GRACE_DAYS = 60  # after the due date a renewal that nobody signed is lost


@dataclass(frozen=True)
class DealConfig:
    # logit of not renewing, before everything else; gives about 36 / 27 / 17 % by tier
    base: tuple[float, float, float] = (-0.66, -1.15, -1.80)
    value_weight: float = 0.95
    per_renewal: float = 0.15  # each renewal so far, up to four
    discount_weight: float = 0.9
    csm_spread: float = 0.25
    quarter_spread: float = 0.25  # one shock a quarter, shared by all customers
    missold_share: float = 0.08
    missold: float = 0.55  # in the first term
    csms: int = 8
    # yearly price of a seat in minor units, by tier, and its spread (log scale)
    seat_price: tuple[int, int, int] = (90_000, 80_000, 70_000)
    price_spread: float = 0.3
    discount: tuple[float, float] = (2.0, 6.0)  # Beta
    exit_yearly: float = 0.012  # leaving in the middle of a term
    add_on_yearly: float = 0.12
    down_sell: float = 0.14  # of those who renew
    up_sell: float = 0.18
    price_change: tuple[float, float] = (0.02, 0.05)  # log-normal, of all that renew
    price_rise_years: float = 3.0  # after the first day list prices rise, once
    price_rise: float = 0.06
    price_rise_risk: float = 0.15
    win_back: float = 0.08
    told_early: float = 0.45  # of the losses, said before the due date
    # years after the first day a competitor enters the market: all risks rise, for good
    launch_years: float | None = None
    launch_risk: float = 0.0
    # share of renewals worked on by a playbook, drawn towards those that look bad, and what it
    # takes off the logit where lack of use is the trouble; elsewhere it does nothing
    playbook_share: float = 0.0
    playbook_effect: float = 0.0


@dataclass(frozen=True)
class Term:
    """One signed term of one customer."""

    account: int
    nth: int  # 0: the first; a win-back goes on counting
    how: str  # new, renew, win_back
    signed_on: date
    starts_on: date
    ends_on: date  # last day
    months: int
    seats: int
    arr_minor: int
    discount: float


@dataclass(frozen=True)
class Change:
    """What happened within a term: `add_on` (seats and ARR more), `exit` (all of it ends)."""

    account: int
    nth: int
    kind: str
    on: date
    seats: int  # signed
    arr_minor: int  # signed


@dataclass(frozen=True)
class Due:
    """One term that came due, with what became of it and the day that was known."""

    account: int
    nth: int
    due_on: date  # the last day of the term
    due_minor: int
    outcome_minor: int  # 0: lost
    decided_on: date
    cause: str


@dataclass(frozen=True)
class DealTruth:
    not_renewing: dict[tuple[int, int], float]  # (account, nth) -> probability
    quarter: dict[tuple[int, int], float]  # (year, quarter) -> shock on the logit
    csm_skill: Floats
    is_missold: npt.NDArray[np.bool_]
    # (account, nth) -> what the playbook took off the logit; worked on, if it is here at all
    playbook: dict[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True)
class DealWorld:
    tier: npt.NDArray[np.int64]  # index into config.TIERS
    csm: npt.NDArray[np.int64]
    terms: tuple[Term, ...]
    changes: tuple[Change, ...]
    dues: tuple[Due, ...]
    truth: DealTruth

    @property
    def tiers(self) -> tuple[str, ...]:
        return TIERS


def start_day(rng: np.random.Generator, first: date, days: int) -> date:
    """A day of the `days` from `first`, with the year-end peak of Chinese budgets."""
    return first + timedelta(days=int(np.searchsorted(_reached(first, days), rng.random())))


@lru_cache(maxsize=8)
def _reached(first: date, days: int) -> Floats:
    """Share of all starts up to and including each day; the last is 1."""
    span = (first + timedelta(days=k) for k in range(days))
    reached = np.cumsum([MONTH_WEIGHT[day.month - 1] for day in span])
    return np.asarray(reached / reached[-1])


def term_months(rng: np.random.Generator) -> int:
    return int(rng.choice(TERM_MONTHS, p=TERM_SHARE))


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))


def signature_delay(rng: np.random.Generator) -> int:
    """Days after the due date on which a renewal is signed: a month early to 45 days late."""
    return round(float(rng.triangular(-30, -5, 45)))


def loss_delay(rng: np.random.Generator, config: DealConfig) -> int:
    """Days after the due date on which a loss is known: said before, or the grace has run out."""
    if rng.random() < config.told_early:
        return -int(rng.integers(0, 75))
    return GRACE_DAYS


def renewed_ratio(rng: np.random.Generator, config: DealConfig, *, rise: float = 0.0) -> float:
    """New ARR over the ARR that was due, of a customer who renews."""
    ratio = float(rng.lognormal(*config.price_change)) * (1 + rise)
    kind = rng.random()
    if kind < config.down_sell:
        return ratio * float(rng.uniform(0.4, 0.9))
    if kind < config.down_sell + config.up_sell:
        return ratio * float(rng.uniform(1.08, 1.4))
    return ratio


def not_renewing(
    config: DealConfig,
    *,
    tier: int,
    value: float,
    nth: int,
    discount: float,
    shocks: float,
    is_missold: bool,
) -> float:
    """True probability that a term is not renewed; `shocks`: CSM, quarter and price on the logit.

    science.md 9: value is engagement less what went wrong, weighted towards the last weeks.
    """
    logit = config.base[tier] - config.value_weight * value
    logit -= config.per_renewal * min(nth, 4)
    logit += config.discount_weight * (discount - 0.25) + shocks
    if is_missold and nth == 0:
        logit += config.missold
    return 1 / (1 + float(np.exp(-logit)))
