"""Which model a deployment gets: as many losses as it has seen allow, and as a race out of fold
proves; never a preference (science.md 4.3).

The race: base rate, scorecard, plain logistic (the control), L1, L2, L3, all judged on the same
rows, by accounts that were not learned from and, where days are known, later than what was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from gengyun.churn.calc import boost, gam
from gengyun.churn.calc.calibrate import Ends, calibration_if_needed, ends_if_needed
from gengyun.churn.calc.folds import Folds, account_groups, folds_for
from gengyun.churn.calc.logistic import expit, log_loss, logit_of
from gengyun.churn.calc.model import Member, Model, Rung
from gengyun.churn.calc.scorecard import BaseRate, scorecard
from gengyun.churn.calc.scores import auc, brier, paired_gain, slope_intercept
from gengyun.churn.calc.stack import average, line, mixed, stacked
from gengyun.churn.calc.table import NO_TIER, Flags, Floats, Ints, Table
from gengyun.churn.calc.tiers import flagged, tiers_of

# losses of different renewals: what a rung needs to be taken, and to be tried against the one below
L1_FROM, L2_FROM, L2_TRIED_FROM, L3_TRIED_FROM = 8, 50, 25, 150
LEAST_KEPT = 8
TIER_WEIGHT = 10.0  # rows of the whole that the rate of a tier is mixed with: an assumption

MemberName = Literal["plain", "expert", "bent", "monotone", "forest", "free"]
MEMBERS: Mapping[Rung, tuple[MemberName, ...]] = {
    "plain": ("plain",),
    "L1": ("expert",),
    "L2": ("expert", "bent", "monotone"),
    "L3": ("expert", "bent", "monotone", "forest", "free"),
}
LINEAR: tuple[MemberName, ...] = ("plain", "expert", "bent")


class Rate(Protocol):
    @property
    def rate(self) -> float: ...
    @property
    def worth(self) -> float: ...


@dataclass(frozen=True)
class Entry:
    """One runner of the race. `gain`: log-loss a row less than the plain logistic's, `error` its
    standard error with accounts as the unit."""

    name: str
    log_loss: float
    gain: float
    error: float
    auc: float
    brier: float
    slope: float


@dataclass(frozen=True)
class Race:
    """`in_time`: judged rows lie later than what was learned from. Empty: too few losses."""

    entries: tuple[Entry, ...] = ()
    in_time: bool = False
    rows: int = 0
    events: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "entries": [vars(entry) for entry in self.entries],
            "in_time": self.in_time,
            "rows": self.rows,
            "events": self.events,
        }


@dataclass(frozen=True)
class Note:
    """What a reader of the model must know, by key; see docs/churn-models.md."""

    key: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Trained:
    """`events`, `kept`: different renewals (or customers) lost and kept in training."""

    model: Model
    rung: Rung
    race: Race
    notes: tuple[Note, ...]
    events: int
    kept: int


def events_of(table: Table) -> tuple[int, int]:
    """Different losses, and different renewals kept.

    Rows of one account whose spans from `at` to `due` overlap speak of one loss: landmarks of one
    renewal, and one silence seen from several months. Without days each account counts once.
    """
    due = table.due.astype("datetime64[D]").astype(np.int64)
    lost, kept = table.y == 1, table.y == 0
    key = np.column_stack([table.account, due])
    apart = len(np.unique(key[kept], axis=0)) if kept.any() else 0
    at = np.where(np.isnat(table.due), due, table.at.astype("datetime64[D]").astype(np.int64))
    return _spans(table.account[lost], at[lost], due[lost]), apart


def _spans(account: Ints, at: Ints, due: Ints) -> int:
    """How many spans are left when those of one account that overlap are one."""
    count, last, end = 0, None, 0
    for row in np.lexsort([due, at, account]):
        if account[row] != last or at[row] > end:
            count += 1
            end = due[row]
        last, end = account[row], max(end, due[row])
    return count


def fit(
    table: Table,
    *,
    base_rates: Mapping[int, Rate],
    seed: int = 1,
    trees: bool = True,
    rung: Rung | None = None,
) -> Trained:
    """Climb the ladder on `table`. Rows that are not decided only help the scorecard's units.

    `base_rates` by place of the tier, -1 for the rest. `trees` False, or no LightGBM: at most L1
    and the GAM of L2. `rung` names one instead of racing, for back-tests that refit a choice.
    """
    decided = table.taken(table.decided)
    lost, kept = events_of(decided)
    notes: list[Note] = []
    if trees and not boost.is_available():
        trees = False
        notes.append(Note("without_trees", {}))
    if rung == "L0" or lost < L1_FROM or kept < LEAST_KEPT:
        if rung != "L0":
            need = {"events": lost, "kept": kept, "needed": L1_FROM}
            notes.append(Note("too_few_events", need))
        return Trained(_l0(table, base_rates), "L0", Race(), tuple(notes), lost, kept)
    learner = _Learner(decided, _centre(decided, base_rates), trees, seed)
    if rung is None:
        rung, race, more = _raced(learner, lost)
        notes += more
    else:
        race = Race()
    return Trained(learner.model(rung), rung, race, tuple(notes), lost, kept)


def plain_logistic(table: Table) -> Model:
    """The control of every comparison: L2 with C = 1 and nothing else."""
    decided = table.taken(table.decided)
    places = tiers_of(decided)
    content = gam.plain_logistic(flagged(decided, places))
    found = Model("plain", table.features, (Member("plain", content),), average(1), places)
    told = found.predict(decided)
    return replace(found, importance=np.abs(told.contributions).mean(axis=0))


def _l0(table: Table, base_rates: Mapping[int, Rate]) -> Model:
    rates = {tier: BaseRate(one.rate, one.worth) for tier, one in base_rates.items()}
    content = scorecard(table, rates)
    return Model("L0", table.features, (Member("scorecard", content),), average(1))


def _centre(decided: Table, base_rates: Mapping[int, Rate]) -> float | None:
    """The rate believed beforehand, over the tiers as they are; None: nobody stated one."""
    if not base_rates:
        return None
    fallback = base_rates.get(NO_TIER) or next(iter(base_rates.values()))
    rates = [base_rates.get(int(tier), fallback).rate for tier in decided.tier]
    return float(np.mean(rates))


class _Learner:
    """Fits members once each, on all rows and out of fold."""

    def __init__(self, table: Table, centre: float | None, trees: bool, seed: int) -> None:
        self.features, self.tiers = table.features, tiers_of(table)
        table = flagged(table, self.tiers)
        self.table, self.centre, self.trees, self.seed = table, centre, trees, seed
        self.folds: Folds = folds_for(table, seed=seed)
        self.judged = self.folds.judged
        self.y = table.y[self.judged]
        self.counts = table.weight[self.judged]
        self.account = table.account[self.judged]
        self.group: Ints = account_groups(self.account, self.y, 5, seed)
        self._out: dict[MemberName, Floats] = {}

    def members(self, rung: Rung) -> tuple[MemberName, ...]:
        names = MEMBERS[rung]
        if self.trees:
            return names
        return tuple(name for name in names if name in ("plain", "expert", "bent"))

    def fitted(self, name: MemberName, table: Table) -> Member:
        learn: Mapping[MemberName, Callable[[], Any]] = {
            "plain": lambda: gam.plain_logistic(table),
            "expert": lambda: gam.expert_logistic(table, base=self.centre),
            "bent": lambda: gam.bent_logistic(table, base=self.centre),
            "monotone": lambda: boost.monotone_trees(table, seed=self.seed),
            "free": lambda: boost.free_trees(table, seed=self.seed),
            "forest": lambda: boost.forest(table, seed=self.seed),
        }
        rate = float(table.y.mean()) if name == "forest" else None
        return Member(name, learn[name](), rate, edge=0.5 / max(len(table), 1))

    def out(self, name: MemberName) -> Floats:
        """Logits of the judged rows, each by a fit that had not seen them."""
        if name not in self._out:
            found = np.full(len(self.table), np.nan)
            for fold in self.folds.folds:
                member = self.fitted(name, self.table.taken(fold.train))
                found[fold.judged] = member.logits(self.table.taken(fold.judged))
            self._out[name] = found[self.judged]
        return self._out[name]

    def runner(self, rung: Rung) -> Floats:
        """Out-of-fold logits of a rung; ends and weights of its members too are others' choice."""
        names = self.members(rung)
        logits = np.column_stack([self.out(name) for name in names])
        if rung == "plain":
            return np.asarray(logits[:, 0], dtype=np.float64)
        found = np.empty(len(self.y))
        for group in np.unique(self.group):
            ours = self.group == group
            ends, weights = self._combined(names, logits, ~ours)
            found[ours] = mixed(weights, _ended(ends, logits[ours]))
        return found

    def model(self, rung: Rung) -> Model:
        names = self.members(rung)
        members = tuple(self.fitted(name, self.table) for name in names)
        weights, calibration = average(len(names)), None
        if rung != "plain" and self.folds.folds:
            logits = np.column_stack([self.out(name) for name in names])
            ends, weights = self._combined(names, logits, np.ones(len(self.y), np.bool_))
            together = mixed(weights, _ended(ends, logits))
            calibration = calibration_if_needed(together, self.y, self.counts)
            pairs = zip(members, ends, strict=True)
            members = tuple(replace(member, ends=one) for member, one in pairs)
        found = Model(rung, self.features, members, weights, self.tiers, calibration)
        told = found.predict(self.table)
        return replace(found, importance=np.abs(told.contributions).mean(axis=0))

    def _combined(
        self, names: tuple[MemberName, ...], logits: Floats, rows: Flags
    ) -> tuple[tuple[Ends | None, ...], Floats]:
        """The ends of each linear member and the weights of all, from logits out of fold of some of
        the judged rows."""
        y, counts, account, logits = (
            self.y[rows],
            self.counts[rows],
            self.account[rows],
            logits[rows],
        )
        ends = tuple(
            ends_if_needed(logit, y, counts, account) if name in LINEAR else None
            for name, logit in zip(names, logits.T, strict=True)
        )
        if len(ends) == 1:
            return ends, average(1)
        return ends, stacked(_ended(ends, logits), y, counts)


def _ended(ends: tuple[Ends | None, ...], logits: Floats) -> Floats:
    told = [
        logit if one is None else one.of(logit) for one, logit in zip(ends, logits.T, strict=True)
    ]
    return np.column_stack(told)


def _raced(learner: _Learner, lost: int) -> tuple[Rung, Race, list[Note]]:
    if not learner.folds.folds:
        return "L1", Race(), [Note("no_race", {})]
    tried: list[Rung] = ["plain", "L1"]
    if lost >= L2_TRIED_FROM:
        tried.append("L2")
    if lost >= L3_TRIED_FROM and learner.trees:
        tried.append("L3")
    runners = {name: learner.runner(name) for name in tried}
    losses = {name: log_loss(logit, learner.y) for name, logit in runners.items()}

    def beats(name: Rung, other: Rung) -> bool:
        gain, error = paired_gain(losses[name], losses[other], learner.account)
        return gain > error

    chosen: Rung = "L2" if lost >= L2_FROM else "L1"
    above: Rung = "L3" if chosen == "L2" else "L2"
    if above in losses and beats(above, chosen):
        chosen = above
    if chosen != "L1" and losses["L1"].mean() <= losses[chosen].mean():
        chosen = "L1"  # of two that are as good, the simpler
    if beats("plain", chosen):
        chosen = "plain"
    beside = {"base_rate": _constant(learner), "scorecard": _mapped_scorecard(learner)}
    race = _race(learner, {**beside, **{str(name): logit for name, logit in runners.items()}})
    notes = []
    # to know a customer's tier is to know no more than the rate of the tier
    even = log_loss(_rate_of_tier(learner), learner.y)
    gain, error = paired_gain(losses[chosen], even, learner.account)
    if gain <= error:
        notes.append(Note("no_signal", {"gain": gain, "error": error}))
        chosen = "L1"  # whose prior falls back to the base rate by itself
    return chosen, race, notes


def _race(learner: _Learner, runners: Mapping[str, Floats]) -> Race:
    y, account = learner.y, learner.account
    control = log_loss(runners["plain"], y)
    entries = []
    for name, logit in runners.items():
        loss, p = log_loss(logit, y), expit(logit)
        gain, error = paired_gain(loss, control, account)
        slope, _ = slope_intercept(y, p)
        entries.append(Entry(name, float(loss.mean()), gain, error, auc(y, p), brier(y, p), slope))
    return Race(tuple(entries), learner.folds.in_time, len(y), int(y.sum()))


def _constant(learner: _Learner) -> Floats:
    found = np.full(len(learner.table), np.nan)
    for fold in learner.folds.folds:
        rate = np.array(learner.table.y[fold.train].mean())
        found[fold.judged] = logit_of(rate, 0.002)
    return found[learner.judged]


def _rate_of_tier(learner: _Learner) -> Floats:
    """The rate of each tier, drawn to that of all as if TIER_WEIGHT rows had it."""
    found = np.full(len(learner.table), np.nan)
    for fold in learner.folds.folds:
        train = learner.table.taken(fold.train)
        every, own = float(train.y.mean()), learner.table.tier[fold.judged]
        rate = np.full(len(own), every)
        for tier in learner.tiers:
            y = train.y[train.tier == tier]
            rate[own == tier] = (TIER_WEIGHT * every + y.sum()) / (TIER_WEIGHT + len(y))
        found[fold.judged] = logit_of(rate, 0.002)
    return found[learner.judged]


def _mapped_scorecard(learner: _Learner) -> Floats:
    """The expert's scorecard with nothing learned but a slope and an intercept."""
    found = np.full(len(learner.table), np.nan)
    for fold in learner.folds.folds:
        train = learner.table.taken(fold.train)
        card = scorecard(train, {})
        weights = line(card.risk(train.x), train.y)
        judged = learner.table.taken(fold.judged)
        found[fold.judged] = mixed(weights, card.risk(judged.x)[:, None])
    return found[learner.judged]
