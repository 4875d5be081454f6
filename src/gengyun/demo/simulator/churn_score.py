"""What the churn probability is worth on simulated companies, whose true probability is known
(science.md 3.4 and 8: A4, A5, A8, A13).

A company is cut in two: customers that are learned from, as known before CUTOFF, and others, whose
later renewals are foreseen. Snapshots and outcomes are the product's own.
"""

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


def measured(world: RenewalWorld, model: Scorer, lag: int) -> Measured:
    """A4 and A5."""
    table, p_true = world.at(lag)
    p, y = model.predict(table).p, table.y
    has = ~np.isnan(p_true)
    rate = float(np.mean(world.learned.y))
    return Measured(
        lag=lag,
        rows=len(table),
        losses=int(y.sum()),
        auc=auc(y, p),
        brier=brier(y, p),
        ece=ece(y, p),
        slope=slope_intercept(y, p)[0],
        truth=_root_mean_square(p[has] - p_true[has]),
        base_truth=_root_mean_square(rate - p_true[has]),
        ceiling=auc(y[has], p_true[has]),
    )


def caught(world: RenewalWorld, model: Scorer, lag: int, share: float = FLAGGED) -> Caught:
    """A8: what a list of the worst `share` of the renewals, made `lag` days before, catches."""
    table, _ = world.at(lag)
    p = model.predict(table).p
    flagged = np.argsort(-p, kind="stable")[: round(share * len(table))]
    hits, losses = float(table.y[flagged].sum()), float(table.y.sum())
    return Caught(lag, hits / losses, hits / len(flagged), len(flagged), int(losses))


def mean_over(found: list[Measured]) -> tuple[Measured, Measured]:
    """(mean, standard deviation) of each figure over worlds of the same lag."""
    columns = {
        name: np.array([getattr(one, name) for one in found], np.float64)
        for name in Measured.__dataclass_fields__
    }
    means = {name: float(values.mean()) for name, values in columns.items()}
    spreads = {
        name: float(values.std(ddof=1)) if len(found) > 1 else float("nan")
        for name, values in columns.items()
    }
    return Measured(**means), Measured(**spreads)  # type: ignore[arg-type]


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
