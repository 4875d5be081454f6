"""What the churn probability is worth on simulated companies, whose true probability is known
(science.md 3.4 and 8: A4, A5, A8, A13).

A company is cut in two: customers that are learned from, as known before CUTOFF, and others, whose
later renewals are foreseen. Snapshots and outcomes are the product's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from gengyun.churn.calc.rows import training_rows
from gengyun.churn.calc.scores import auc, brier, ece, slope_intercept
from gengyun.churn.calc.snapshot import Reader
from gengyun.churn.calc.table import Floats, Ints, Table
from gengyun.demo.simulator.company import Company
from gengyun.demo.simulator.company_config import CompanyConfig, company
from gengyun.demo.simulator.company_make import make_company
from gengyun.demo.simulator.observed import TERMS, to_observed

CUTOFF = date(2024, 1, 1)  # two thirds of the world's days
LEARNED_FROM = 400  # customers at most
FLAGGED = 0.20  # of the renewals, those that look worst
STREAM = 60


class Scorer(Protocol):
    """A model of the product, or anything that scores its tables."""

    def predict(self, table: Table) -> "Predicted": ...


class Predicted(Protocol):
    @property
    def p(self) -> Floats: ...


@dataclass(frozen=True)
class RenewalWorld:
    """`learned`: decided before CUTOFF, of the customers in `order`; `later`: of all others, due
    after it. `p_true` and `p_learned` belong to their rows; nan: left in the middle of a term."""

    seed: int
    order: Ints  # customers that may be learned from, shuffled
    learned: Table
    p_learned: Floats
    later: Table
    p_true: Floats

    def of(self, accounts: int) -> Table:
        """What a company of so many customers would have learned from."""
        return self.learned.taken(np.isin(self.learned.account, self.order[:accounts]))

    def at(self, lag: int) -> tuple[Table, Floats]:
        rows = self.later.lag == lag
        return self.later.taken(rows), self.p_true[rows]


@dataclass(frozen=True)
class Foreseen:
    """Renewals at one lag; `rate`: the one rate of what was learned from."""

    lag: int
    y: Floats
    p: Floats
    p_true: Floats
    rate: Floats


@dataclass(frozen=True)
class Measured:
    """Among due renewals at one lag. `truth`: root mean square of p less the true probability;
    `base_truth`: of the one rate that was learned from; `ceiling`: AUC of the true probability."""

    lag: int
    rows: int
    losses: int
    auc: float
    brier: float
    ece: float
    slope: float
    truth: float
    base_truth: float
    ceiling: float


@dataclass(frozen=True)
class Caught:
    """The renewals that look worst at one lag: share of all losses among them, share lost."""

    lag: int
    recall: float
    precision: float
    flagged: int
    losses: int


def renewal_world(
    seed: int,
    *,
    accounts: int = 1_200,
    learned_from: int = LEARNED_FROM,
    config: CompanyConfig | None = None,
    cutoff: date = CUTOFF,
) -> RenewalWorld:
    """A company of `accounts` customers; `learned_from` of them may be learned from."""
    chosen = config or company("smb")
    chosen = replace(chosen, world=replace(chosen.world, accounts=accounts))
    made = make_company(chosen, seed=seed)
    reader = Reader.of(to_observed(made))
    order = np.random.default_rng([seed, STREAM]).permutation(accounts)[:learned_from]
    learned = training_rows(reader, cutoff=cutoff)
    is_ours = np.isin(learned.table.account, order)
    later = training_rows(reader, cutoff=made.end, since=cutoff)
    is_theirs = ~np.isin(later.table.account, order)
    return RenewalWorld(
        seed=seed,
        order=order,
        learned=learned.table.taken(is_ours),
        p_learned=true_probability(made, learned.renewal[is_ours]),
        later=later.table.taken(is_theirs),
        p_true=true_probability(made, later.renewal[is_theirs]),
    )


def true_probability(made: Company, renewal: Ints) -> Floats:
    """By id of the renewal, as `to_observed` gives them."""
    truth = made.truth.not_renewing
    keys = zip((renewal // TERMS).tolist(), (renewal % TERMS).tolist(), strict=True)
    return np.array([truth.get(key, np.nan) for key in keys], np.float64)


def foreseen(world: RenewalWorld, model: Scorer, lag: int) -> Foreseen:
    table, p_true = world.at(lag)
    rate = np.full(len(table), np.mean(world.learned.y))
    return Foreseen(lag, table.y, model.predict(table).p, p_true, rate)


def pooled(found: Sequence[Foreseen]) -> Foreseen:
    """Several worlds as one: calibration needs more renewals than one world has."""
    y, p, p_true, rate = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("y", "p", "p_true", "rate")
    )
    return Foreseen(found[0].lag, y, p, p_true, rate)


def measured(seen: Foreseen) -> Measured:
    """A4 and A5."""
    y, p, has = seen.y, seen.p, ~np.isnan(seen.p_true)
    p_true = seen.p_true[has]
    return Measured(
        lag=seen.lag,
        rows=len(y),
        losses=int(y.sum()),
        auc=auc(y, p),
        brier=brier(y, p),
        ece=ece(y, p),
        slope=slope_intercept(y, p)[0],
        truth=_root_mean_square(p[has] - p_true),
        base_truth=_root_mean_square(seen.rate[has] - p_true),
        ceiling=auc(y[has], p_true),
    )


def caught(seen: Foreseen, share: float = FLAGGED) -> Caught:
    """A8: what a list of the worst `share` of the renewals, made `lag` days before, catches."""
    flagged = np.argsort(-seen.p, kind="stable")[: round(share * len(seen.y))]
    hits, losses = float(seen.y[flagged].sum()), float(seen.y.sum())
    return Caught(seen.lag, hits / losses, hits / len(flagged), len(flagged), int(losses))


def null_world(seed: int, *, accounts: int = 800) -> RenewalWorld:
    """A13: nothing that can be seen has to do with who leaves."""
    return renewal_world(seed, accounts=accounts, config=company("null"))


def permuted(table: Table, *, seed: int) -> Table:
    """A13: outcomes dealt out anew; the landmarks of one renewal keep one outcome."""
    keys = np.column_stack([table.account, table.due.astype(np.int64)])
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    dealt = np.random.default_rng([seed, STREAM]).permutation(table.y[first])
    return replace(table, y=dealt[which.reshape(-1)])


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
