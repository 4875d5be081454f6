"""How often renewals come out well: learned from what was decided, said as a belief.

Before a churn model exists this is all the forecast knows (经验估计, science.md 6): a rate for each
cell, which is a tier and whether it is the first renewal, pulled towards what the company has seen
and, where it has seen little, towards what it states. Pure numpy; one row is one renewal; days are
datetime64[D].

Only renewals whose due date lies more than the grace period before `as_of` teach anything. The
later ones are not known yet: those decided among them are mostly the good ones, and counting them
would make every forecast rosy (science.md 4.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gengyun.revenue.calc.signing_delay import Delays, learn_delays

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]

STATED = 0.80  # share that renews where nobody has stated one: an assumption
STATED_WEIGHT = 20.0  # renewals that the statement counts for (science.md 4.3)
COMPANY_WEIGHT = 10.0  # renewals that the company's rate counts for in a cell's own
RATIO_WEIGHT = 20.0  # renewals of the whole company that a cell's own price changes are mixed with
SAME_AMOUNT_WEIGHT = 5.0  # renewals at the old amount that everything starts from
RATIO_STEPS = 200
QUARTER_SPREAD, QUARTER_WEIGHT = 0.25, 4.0  # prior of the shared quarter effect (science.md 6)
SPREADS = np.linspace(0.02, 1.2, 60)
# of what moves the amounts of a quarter together, as a rise of list prices does: an assumption
AMOUNT_SPREAD, AMOUNT_WEIGHT = 0.03, 4.0
AMOUNT_SPREADS = np.linspace(0.002, 0.15, 75)
RATIO_NOISE = 0.2  # spread of one renewal's ratio before any was seen: an assumption


@dataclass(frozen=True)
class History:
    """Renewals that came due. `decided_on` is NaT and `outcome_minor` 0 while one is open."""

    cell: Ints  # row of the cells that are learned
    due_on: Days
    due_minor: Ints
    outcome_minor: Ints  # 0: lost
    decided_on: Days
    # new ARR that was asked over what was due; nan, or none at all: nobody said
    asked: Floats | None = None

    def taken(self, which: Flags) -> "History":
        return History(
            self.cell[which],
            self.due_on[which],
            self.due_minor[which],
            self.outcome_minor[which],
            self.decided_on[which],
            None if self.asked is None else self.asked[which],
        )


@dataclass(frozen=True)
class CellRate:
    """What is believed of one cell: Beta(alpha, beta) of renewing."""

    decided: int
    renewed: int
    stated: float
    pulled_to: float  # what the own share was shrunk towards
    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True)
class Odds:
    rates: tuple[CellRate, ...]
    ratios: (
        Floats  # [cell, step]: new ARR over the asked (or due) ARR of those who renew, quantiles
    )
    spread_weight: Floats  # posterior of the quarter effect's spread over SPREADS
    delays: Delays
    decided: int
    quarters: int  # past quarters that tell how strong the shared effect is
    # posterior of the spread of what moves all amounts of a quarter, over AMOUNT_SPREADS; none: 0
    amount_weight: Floats = field(default_factory=lambda: np.zeros(0))
    # how unsure the mean ratio of each cell is; none: 0
    ratio_levels: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def spread(self) -> float:
        """Posterior mean of the spread of the shared quarter effect, on the logit."""
        return float(SPREADS @ self.spread_weight)


def learn_odds(
    history: History, *, as_of: np.datetime64, stated: Sequence[float], grace_days: int
) -> Odds:
    """Everything the forecast believes as of a day; `stated[k]` is what cell k is said to renew."""
    known = known_outcomes(history, as_of=as_of, grace_days=grace_days)
    rates = cell_rates(known, stated)
    weights, quarters = quarter_spread(known, stated)
    delays = learn_delays(
        (known.decided_on - known.due_on).astype(np.int64),
        known.outcome_minor > 0,
        grace_days=grace_days,
    )
    ratios = ratio_table(known, len(stated))
    return Odds(
        rates=rates,
        ratios=ratios,
        spread_weight=weights,
        delays=delays,
        decided=len(known.cell),
        quarters=quarters,
        amount_weight=amount_spread(known),
        ratio_levels=ratio_levels(known, len(stated)),
    )


def known_outcomes(history: History, *, as_of: np.datetime64, grace_days: int) -> History:
    """Due long enough ago for every outcome to be known, and decided before `as_of`."""
    is_ripe = history.due_on + np.timedelta64(grace_days, "D") < as_of
    return history.taken(is_ripe & (history.decided_on < as_of))


def cell_rates(known: History, stated: Sequence[float]) -> tuple[CellRate, ...]:
    """Beta-binomial shrinkage: each cell towards its stated rate, moved by what all cells show.

    The stated rates are shifted together on the logit until they give the renewals that were
    observed, the statement counting for STATED_WEIGHT renewals; then each cell's own share is
    pulled to its shifted rate with the weight of COMPANY_WEIGHT renewals.
    """
    count = len(stated)
    decided: Floats = np.bincount(known.cell, minlength=count).astype(np.float64)
    has_renewed = (known.outcome_minor > 0).astype(np.float64)
    renewed: Floats = np.bincount(known.cell, has_renewed, count).astype(np.float64)
    shifted = shifted_rates(decided, renewed, stated)
    return tuple(
        CellRate(
            decided=int(decided[k]),
            renewed=int(renewed[k]),
            stated=float(stated[k]),
            pulled_to=float(shifted[k]),
            alpha=float(COMPANY_WEIGHT * shifted[k] + renewed[k]),
            beta=float(COMPANY_WEIGHT * (1 - shifted[k]) + decided[k] - renewed[k]),
        )
        for k in range(count)
    )


def shifted_rates(decided: Floats, renewed: Floats, stated: Sequence[float]) -> Floats:
    """Stated rates, moved together so that they agree with all that was decided."""
    rates = np.asarray(stated, dtype=float)
    base = logit(rates)
    # the statement itself is spread over the cells as the decided ones are
    total = float(decided.sum())
    share = decided / total if total else np.full(len(rates), 1 / max(len(rates), 1))
    cases = decided + STATED_WEIGHT * share
    wanted = float(renewed.sum() + (STATED_WEIGHT * share * rates).sum())
    low, high = -8.0, 8.0
    for _ in range(50):
        middle = (low + high) / 2
        if float((cases * expit(base + middle)).sum()) < wanted:
            low = middle
        else:
            high = middle
    return expit(base + (low + high) / 2)


def ratio_table(known: History, cells: int) -> Floats:
    """[cell, step]: what renewed over what was asked, as evenly spaced quantiles. Where nobody said
    what was asked, over what was due.

    A cell's own renewals, mixed with those of the whole company (counting RATIO_WEIGHT) and with
    renewals at the old amount (counting SAME_AMOUNT_WEIGHT), so that few cases promise little.
    """
    ratio, renewed = _ratios(known)
    cell = renewed.cell
    at = (np.arange(RATIO_STEPS) + 0.5) / RATIO_STEPS
    table = np.ones((cells, RATIO_STEPS))
    for k in range(cells):
        own = ratio[cell == k]
        common = np.full(len(ratio), RATIO_WEIGHT / max(len(ratio), 1))
        values = np.concatenate([own, ratio, [1.0]])
        weight = np.concatenate([np.ones(len(own)), common, [SAME_AMOUNT_WEIGHT]])
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(weight[order])
        place = np.searchsorted(reached, at * reached[-1])
        table[k] = values[order][np.minimum(place, len(values) - 1)]
    return table


def quarter_spread(known: History, stated: Sequence[float]) -> tuple[Floats, int]:
    """Posterior of the spread of the effect that all renewals of a quarter share.

    Each past quarter is compared with what the quarters before it let expect (one step ahead); what
    chance and unsure rates do not explain is the effect. Prior: QUARTER_SPREAD, counting for
    QUARTER_WEIGHT quarters (scaled inverse chi-square on the variance).
    """
    prior = -(QUARTER_WEIGHT + 1) * np.log(SPREADS)
    belief = prior - QUARTER_WEIGHT * QUARTER_SPREAD**2 / (2 * SPREADS**2)
    quarters = quarter_of(known.due_on)
    count = len(stated)
    decided: Floats = np.zeros(count)
    renewed: Floats = np.zeros(count)
    seen = np.unique(quarters)
    for quarter in seen:
        here = quarters == quarter
        n = np.bincount(known.cell[here], minlength=count).astype(float)
        y = np.bincount(known.cell[here], weights=known.outcome_minor[here] > 0, minlength=count)
        pulled_to = shifted_rates(decided, renewed, stated)
        cases = COMPANY_WEIGHT + decided
        mean = (COMPANY_WEIGHT * pulled_to + renewed) / cases
        chance = mean * (1 - mean)
        information = float((n * chance).sum())
        residual = float((y - n * mean).sum()) / information
        # variance of the residual but for the effect: chance, and rates that were not sure
        unsure = float(((n * chance) ** 2 / (cases * chance)).sum())
        noise = 1 / information + unsure / information**2
        variance = SPREADS**2 + noise
        belief = belief - 0.5 * (np.log(variance) + residual**2 / variance)
        decided, renewed = decided + n, renewed + y
    weight = np.exp(belief - belief.max())
    return weight / weight.sum(), len(seen)


def amount_spread(known: History) -> Floats:
    """Posterior of the spread of what moves the amounts of all renewals of a quarter together.

    As `quarter_spread`, of the mean ratio of those who renewed: each past quarter against the mean
    of those before it. Prior: AMOUNT_SPREAD, counting for AMOUNT_WEIGHT quarters.
    """
    prior = -(AMOUNT_WEIGHT + 1) * np.log(AMOUNT_SPREADS)
    belief = prior - AMOUNT_WEIGHT * AMOUNT_SPREAD**2 / (2 * AMOUNT_SPREADS**2)
    ratio, renewed = _ratios(known)
    quarters, noise2 = quarter_of(renewed.due_on), _ratio_noise(ratio) ** 2
    total, count = SAME_AMOUNT_WEIGHT, SAME_AMOUNT_WEIGHT
    for quarter in np.unique(quarters):
        here = ratio[quarters == quarter]
        residual = float(here.mean()) - total / count
        variance = AMOUNT_SPREADS**2 + noise2 * (1 / len(here) + 1 / count)
        belief = belief - 0.5 * (np.log(variance) + residual**2 / variance)
        total, count = total + float(here.sum()), count + len(here)
    weight = np.exp(belief - belief.max())
    return np.asarray(weight / weight.sum())


def ratio_levels(known: History, cells: int) -> Floats:
    """Standard error of the mean ratio of each cell, by what `ratio_table` rests on."""
    ratio, renewed = _ratios(known)
    own = np.bincount(renewed.cell, minlength=cells)
    cases = own + min(RATIO_WEIGHT, len(ratio)) + SAME_AMOUNT_WEIGHT
    return np.asarray(_ratio_noise(ratio) / np.sqrt(cases))


def _ratios(known: History) -> tuple[Floats, History]:
    """New ARR over what was asked of those who renewed; over what was due where nobody said."""
    renewed = known.taken((known.outcome_minor > 0) & (known.due_minor > 0))
    return renewed.outcome_minor / expected_of(renewed.due_minor, renewed.asked), renewed


def expected_of(due_minor: Ints, asked: Floats | None) -> Floats:
    """What a renewal is measured by: the ARR asked for the next term, or else what comes due."""
    due = due_minor.astype(np.float64)
    return due if asked is None else due * np.where(asked > 0, asked, 1.0)


def _ratio_noise(ratio: Floats) -> float:
    """Spread of one renewal's ratio; RATIO_NOISE counts for SAME_AMOUNT_WEIGHT renewals."""
    squares = float(((ratio - ratio.mean()) ** 2).sum()) if len(ratio) else 0.0
    cases = SAME_AMOUNT_WEIGHT + len(ratio)
    return float(np.sqrt((SAME_AMOUNT_WEIGHT * RATIO_NOISE**2 + squares) / cases))


def quarter_of(days: Days) -> Ints:
    """Quarters counted from 1970; the same number for the days of one calendar quarter."""
    return days.astype("datetime64[M]").astype(np.int64) // 3


def logit(p: Floats) -> Floats:
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))
