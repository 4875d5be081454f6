"""What the renewal forecast was worth, against what came out in simulated worlds (science.md 6).

Every quarter of a world is forecast from what was known `lead` days before it began: renewals
decided by then teach the odds, renewals due in the quarter are forecast.

Two controls know nothing of the single customer. The base rate of science.md (6 and A9; the one
rate of A5): the share of renewals that came back so far, applied to the amount of each. The money
share, harder: what had come back so far of each unit of money due; it knows that large customers
stay, and what prices do.

Each is scored twice: as it came out, with price rises and upsell (net), and by what was kept of
what came due, at most all of it (gross). The money share of the gross one is that kept so far.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from gengyun.demo.simulator.config import WorldConfig
from gengyun.demo.simulator.deals import GRACE_DAYS, DealConfig, DealWorld
from gengyun.demo.simulator.deals_make import make_deals
from gengyun.revenue.calc.forecast import Book, forecast
from gengyun.revenue.calc.renewal_odds import (
    STATED,
    Days,
    Floats,
    History,
    Ints,
    known_outcomes,
    learn_odds,
)

LEAD = 90  # days before the first day of the quarter
QUARTERS = 12  # of each world, its last ones

Counted = Callable[[History], Ints]  # what counts of what came back


@dataclass(frozen=True)
class Outcome:
    """What a quarter was forecast to come to, and came to; amounts in minor units."""

    due: int
    came: int
    expected: int
    quantiles: tuple[int, ...]  # 2.5, 10, 50, 90, 97.5 %
    base_rate: float  # forecast of the control that applies one rate to every renewal
    money_share: float  # forecast of the control that applies one share to the money due


@dataclass(frozen=True)
class Quarter(Outcome):
    """One forecast quarter: net, and beside it gross."""

    gross: Outcome


@dataclass(frozen=True)
class Told:
    """A price that a customer was told, over the one that ends."""

    on: np.datetime64
    ratio: float


@dataclass(frozen=True)
class Score:
    quarters: int
    cover_80: float
    cover_95: float
    width: float  # of the 80 % interval, as a share of what comes due
    error: float  # mean absolute percentage error of the expected amount
    base_error: float  # of the base rate
    share_error: float  # of the money share
    all_error: float  # of "everything renews"
    bias: float  # as a share of what comes due


def outcomes(
    config: WorldConfig,
    seeds: Iterable[int],
    *,
    lead: int = LEAD,
    deal_config: DealConfig | None = None,
    draws: int = 1_000,
) -> list[Quarter]:
    """Forecast the last quarters of every world."""
    found: list[Quarter] = []
    for seed in seeds:
        world = make_deals(config, seed=seed, deal_config=deal_config)
        last = np.datetime64(config.start + timedelta(days=config.days), "M")
        last -= (last.astype(int) % 3).astype("timedelta64[M]")
        months = [last - np.timedelta64(3 * back, "M") for back in range(QUARTERS, 0, -1)]
        found += [quarter(world, month, lead=lead, draws=draws, seed=seed) for month in months]
    return found


def quarter(
    world: DealWorld,
    month: np.datetime64,
    *,
    lead: int = LEAD,
    draws: int = 1_000,
    seed: int,
    renewing: Mapping[tuple[int, int], float] | None = None,
    told: Mapping[tuple[int, int], Told] | None = None,
    lag: int | None = None,
) -> Quarter:
    """The quarter that begins with `month`. `renewing`: (account, nth) -> probability of renewing
    that a model gives what is open; others have the rate of their cell. `told`: -> the price that
    the customer was told, used once that day is over: `lag` days before the due date, or, without
    it, on the day of the forecast."""
    first = month.astype("datetime64[D]")
    end = (month + np.timedelta64(3, "M")).astype("datetime64[D]")
    as_of = first - np.timedelta64(lead, "D")
    past = seen(world)
    looked = np.full(len(past.cell), as_of)
    if lag is not None:
        looked = np.maximum(as_of, past.due_on - np.timedelta64(lag, "D"))
    past = replace(past, asked=asked_by(world, looked, told or {}))
    stated = [STATED] * (2 * len(world.tiers))
    odds = learn_odds(past, as_of=as_of, stated=stated, grace_days=GRACE_DAYS)
    rows = np.flatnonzero((past.due_on >= first) & (past.due_on < end))
    mine = past.taken(np.isin(np.arange(len(past.cell)), rows))
    settled = np.where(mine.decided_on < as_of, mine.outcome_minor, np.nan)
    given = renewing or {}
    dues = [world.dues[row] for row in rows.tolist()]
    own = np.array([given.get((due.account, due.nth), np.nan) for due in dues], np.float64)
    book = Book(rows, mine.cell, mine.due_on, mine.due_minor, settled, own, mine.asked)
    made = forecast(book, odds, as_of=as_of, draws=draws, seed=seed).total
    known = known_outcomes(past, as_of=as_of, grace_days=GRACE_DAYS)
    net, gross = (
        Outcome(
            due=int(mine.due_minor.sum()),
            came=int(counted(mine).sum()),
            expected=sums.expected_minor,
            quantiles=sums.quantile_minor,
            base_rate=_control(_rate(known), counted, settled, mine),
            money_share=_control(_share(known, counted), counted, settled, mine),
        )
        for counted, sums in ((_all, made), (_kept, made.gross))
    )
    return Quarter(**vars(net), gross=gross)


def _all(rows: History) -> Ints:
    return rows.outcome_minor


def _kept(rows: History) -> Ints:
    """Of what came due, at most all of it."""
    return np.minimum(rows.outcome_minor, rows.due_minor)


def _rate(known: History) -> float:
    """Of all renewals so far, those that came back."""
    return float((known.outcome_minor > 0).mean())


def _share(known: History, counted: Counted) -> float:
    """Of all money due so far, what came back."""
    return float(counted(known).sum() / known.due_minor.sum())


def _control(share: float, counted: Counted, settled: Floats, mine: History) -> float:
    """What is decided as it came out; of the rest the same share of each."""
    is_open = np.isnan(settled)
    return float(counted(mine)[~is_open].sum() + share * mine.due_minor[is_open].sum())


def asked_by(world: DealWorld, looked: Days, told: Mapping[tuple[int, int], Told]) -> Floats:
    """Of each renewal the price asked over the one that ends, if the customer had been told before
    the day on which it is looked at; nan: not told by then."""
    said = [told.get((due.account, due.nth)) for due in world.dues]
    return np.array(
        [
            one.ratio if one is not None and one.on < day else np.nan
            for one, day in zip(said, looked, strict=True)
        ],
        np.float64,
    )


def seen(world: DealWorld) -> History:
    """What the product knows of a world's renewals; a cell is a tier and whether it is the first
    that came due."""
    first: dict[int, int] = {}
    for due in world.dues:
        first[due.account] = min(due.nth, first.get(due.account, due.nth))
    return History(
        cell=np.array(
            [2 * world.tier[due.account] + (due.nth > first[due.account]) for due in world.dues],
            np.int64,
        ),
        due_on=np.array([due.due_on for due in world.dues], "datetime64[D]"),
        due_minor=np.array([due.due_minor for due in world.dues], np.int64),
        outcome_minor=np.array([due.outcome_minor for due in world.dues], np.int64),
        decided_on=np.array([due.decided_on for due in world.dues], "datetime64[D]"),
    )


def score(quarters: Sequence[Outcome]) -> Score:
    due, came, expected, base, share = (
        np.array([getattr(one, name) for one in quarters], float)
        for name in ("due", "came", "expected", "base_rate", "money_share")
    )
    low95, low, _, high, high95 = np.array([one.quantiles for one in quarters], float).T
    return Score(
        quarters=len(quarters),
        cover_80=float(((came >= low) & (came <= high)).mean()),
        cover_95=float(((came >= low95) & (came <= high95)).mean()),
        width=float(((high - low) / due).mean()),
        error=float((abs(came - expected) / came).mean()),
        base_error=float((abs(came - base) / came).mean()),
        share_error=float((abs(came - share) / came).mean()),
        all_error=float((abs(came - due) / came).mean()),
        bias=float(((expected - came) / due).mean()),
    )
