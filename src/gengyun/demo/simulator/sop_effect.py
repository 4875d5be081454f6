"""What the measured effect of an SOP is worth on simulated companies (science.md 7 and 8, A10).

Renewals of simulated companies whose true probability is known, with the probability that the
product's own model gave them 90 days before. An SOP that moves the truth by a known amount is
played over and over: chance, or a CSM, chooses whom it works on; outcomes are drawn; the product's
own functions assign and estimate. How far they are from the truth is measured.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from gengyun.churn.calc.logistic import expit, logit_of
from gengyun.churn.calc.table import Floats, Ints, Table
from gengyun.demo.simulator.churn_score import Scorer, renewal_world
from gengyun.demo.simulator.company_config import company
from gengyun.demo.simulator.deals_make import PLAYBOOK_DAYS
from gengyun.demo.simulator.make import make_latent
from gengyun.sop.calc.assign import HOLDOUT, Entrant, assign, stratum_of, terciles
from gengyun.sop.calc.cuped import difference
from gengyun.sop.calc.effect import Counted, Interval, newcombe, normal_interval
from gengyun.sop.calc.power import WORTH
from gengyun.sop.calc.sequential import LEAST_PER_ARM, always_valid

LAG = 90  # days before its due date on which a renewal enters
WORKS = -0.5  # on the logit of not renewing
STREAM = 70

Flags = np.ndarray
Learn = Callable[[Table], Scorer]
Choose = Callable[["Pool", int, float], Flags]


@dataclass(frozen=True)
class Pool:
    """Renewals in the order in which they come due. `p`: what the product's model said when they
    entered; `looks`: engagement when a CSM chooses, as the simulator's own CSMs see it."""

    p_true: Floats
    p: Floats
    tier: Ints
    day: Ints  # of coming due
    looks: Floats
    amount_minor: Ints

    def __len__(self) -> int:
        return len(self.p)

    def first(self, count: int, seed: int) -> "Pool":
        """So many of them, drawn."""
        rng = np.random.default_rng([seed, STREAM, count])
        keep = np.sort(rng.permutation(len(self))[:count])
        return Pool(*(getattr(self, one.name)[keep] for one in fields(self)))

    @cached_property
    def stratum(self) -> list[str]:
        cuts = terciles(self.p.tolist())
        pairs = zip(self.p.tolist(), self.tier.tolist(), strict=True)
        return [stratum_of(p, cuts=cuts, tier=tier) for p, tier in pairs]


def make_pool(seeds: Sequence[int], learn: Learn, *, accounts: int, learned_from: int) -> Pool:
    """Of several companies in which nobody works on anybody, so that the truth is untouched."""
    plain = company("smb", accounts=accounts)
    plain = replace(plain, deals=replace(plain.deals, playbook_share=0.0))
    found = []
    for seed in seeds:
        world = renewal_world(seed, accounts=accounts, learned_from=learned_from, config=plain)
        table, p_true = world.at(LAG)
        engagement = make_latent(plain.world, seed=seed).engagement
        day = (table.due.astype("M8[D]") - np.datetime64(plain.world.start)).astype(np.int64)
        seen = np.clip(day - PLAYBOOK_DAYS, 0, plain.world.days - 1)
        columns = (
            p_true, learn(world.learned).predict(table).p, table.tier, day,
            engagement[table.account, seen], table.amount_minor,
        )  # fmt: skip
        found.append([column[~np.isnan(p_true)] for column in columns])
    joined = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    order = np.argsort(joined[3], kind="stable")
    return Pool(*(column[order] for column in joined))


def by_hash(pool: Pool, trial: int, share: float) -> Flags:
    """The product: by hash within strata, day by day as they enter."""
    strata, treated = pool.stratum, np.ones(len(pool), np.bool_)
    placed: dict[str, int] = {}
    edges = [0, *(np.flatnonzero(np.diff(pool.day)) + 1).tolist(), len(pool)]
    for first, end in pairwise(edges):
        batch = [Entrant(str(k), strata[k]) for k in range(first, end)]
        arms = assign(batch, salt=f"{trial}:1", share=share, placed=placed)
        treated[first:end] = [arm != HOLDOUT for arm in arms]
        for entrant in batch:
            placed[entrant.stratum] = placed.get(entrant.stratum, 0) + 1
    return treated


def by_coin(pool: Pool, trial: int, share: float) -> Flags:
    """Chance without strata: how science.md 7 measured."""
    return np.random.default_rng([trial, STREAM, 1]).random(len(pool)) >= share


def by_csm(pool: Pool, trial: int, share: float) -> Flags:
    """As the simulator's CSMs choose: whoever looks bad."""
    odds = (1 - share) / share * np.exp(-pool.looks)
    return np.random.default_rng([trial, STREAM, 2]).random(len(pool)) < odds / (1 + odds)


def true_effect(pool: Pool, works: float) -> float:
    """On the share that does not renew, over everybody who entered."""
    return float(np.mean(expit(logit_of(pool.p_true) + works) - pool.p_true))


def lost(pool: Pool, treated: Flags, works: float, trial: int) -> Floats:
    chance = expit(logit_of(pool.p_true) + works * treated)
    drawn = np.random.default_rng([trial, STREAM, 3]).random(len(pool))
    return (drawn < chance).astype(np.float64)


@dataclass(frozen=True)
class Told:
    """What one trial came to: the plain difference and the one made more exact."""

    plain: Interval
    exact: Interval


def told(pool: Pool, treated: Flags, y: Floats) -> Told:
    counted = [Counted(int(y[arm].sum()), int(arm.sum())) for arm in (treated, ~treated)]
    plain, found = newcombe(*counted), difference(y, treated, pool.p[:, None])
    if plain is None or found is None:
        raise ValueError("an arm is empty")
    return Told(plain, normal_interval(found.value, found.variance))


@dataclass(frozen=True)
class Accuracy:
    """Of one estimate over all trials. `bias`, `spread` on the share lost (0.01 is a point);
    `covered`: trials whose 95 % interval holds the truth; `seen`: whose interval leaves out zero;
    `one_sided`: that call it better at 5 %."""

    bias: float
    spread: float
    covered: float
    seen: float
    one_sided: float


@dataclass(frozen=True)
class Played:
    truth: float
    trials: int
    plain: Accuracy
    exact: Accuracy


def play(
    pool: Pool,
    *,
    works: float,
    share: float,
    trials: int,
    choose: Choose = by_hash,
) -> Played:
    truth = true_effect(pool, works)
    found = []
    for trial in range(trials):
        treated = choose(pool, trial, share)
        found.append(told(pool, treated, lost(pool, treated, works, trial)))
    return Played(
        truth,
        trials,
        _accuracy([one.plain for one in found], truth),
        _accuracy([one.exact for one in found], truth),
    )


def _accuracy(found: Sequence[Interval], truth: float) -> Accuracy:
    value, low, high = (
        np.array([getattr(one, name) for one in found]) for name in ("value", "low", "high")
    )
    error = (high - value) / 1.96
    return Accuracy(
        bias=float(value.mean() - truth),
        spread=float(value.std(ddof=1)),
        covered=float(np.mean((low <= truth) & (truth <= high))),
        seen=float(np.mean((low > 0) | (high < 0))),
        one_sided=float(np.mean(value + 1.645 * error < 0)),
    )


@dataclass(frozen=True)
class Watched:
    """Trials that ended with an effect because somebody looked every day. `by_day`: with the
    interval that allows it; `by_ordinary`: with the one that does not; `after`: share of the
    renewals that had come due at the first day of an effect, mean over those trials."""

    by_day: float
    by_ordinary: float
    after: float | None
    looks: float


def watch(pool: Pool, *, works: float, share: float, trials: int) -> Watched:
    """Every day on which a renewal came due, from the first day the product looks at all."""
    allowed, ordinary, after, looks = 0, 0, [], 0
    for trial in range(trials):
        treated = by_hash(pool, trial, share)
        y = lost(pool, treated, works, trial)
        is_seen = is_seen_ordinary = False
        for end in _days(pool, treated):
            looks += 1
            found = difference(y[:end], treated[:end], pool.p[:end, None])
            if found is None:
                continue
            daily = always_valid(found.value, found.variance, worth=WORTH)
            if daily.excludes_zero and not is_seen:
                is_seen = True
                after.append(end / len(pool))
            is_seen_ordinary |= normal_interval(found.value, found.variance).excludes_zero
        allowed += is_seen
        ordinary += is_seen_ordinary
    mean = float(np.mean(after)) if after else None
    return Watched(allowed / trials, ordinary / trials, mean, looks / trials)


def _days(pool: Pool, treated: Flags) -> Iterator[int]:
    """How many had come due on each day on which one did."""
    ends = np.append(np.flatnonzero(np.diff(pool.day)) + 1, len(pool))
    fewest = np.minimum(np.cumsum(treated), np.cumsum(~treated))
    yield from ends[fewest[ends - 1] >= LEAST_PER_ARM].tolist()
