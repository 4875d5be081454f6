"""How the method would have done on the past: rolling quarterly cut-offs. Pure.

At each cut-off the model is learned anew from what was known before it, and speaks of what was
looked at in the quarter after it. Three rules keep it honest (science.md 4.3, 4.4):

- *Known*: a row is learned from only when every renewal of its due date was decided by then (due +
  grace before the cut-off). Taking those that happened to be known would take early signatures and
  leave out losses, which nobody knows before the grace is over. The same holds for what is tested.
- *Due*: only rows about a renewal that came due are there at all; the calendar alone tells who
  cannot leave, and would make every figure look good.
- *Grouped*: accounts are dealt into folds, and a fold is judged by a model that saw none of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from gengyun.churn.calc import beside as simple
from gengyun.churn.calc.beside import Beside
from gengyun.churn.calc.table import Flags, Floats, Ints, Table

Day = np.datetime64
Report = Callable[[int, int], None]
MODEL, BASE, HEALTH, PLAIN, CSM = "model", "base_rate", "health", "plain_logistic", "csm"
METHODS = (MODEL, BASE, HEALTH, PLAIN, CSM)
ASSUMED_RATE = 0.2  # of losses, until one renewal is decided


class Said(Protocol):
    """What a model says of rows (the ladder's `Prediction`)."""

    @property
    def p(self) -> Floats: ...
    @property
    def contributions(self) -> Floats: ...


class Model(Protocol):
    @property
    def rung(self) -> str: ...
    def predict(self, table: Table) -> Said: ...


@dataclass(frozen=True)
class Learners:
    """`choose` climbs the ladder on everything known and names the rung; `learn` fits that rung."""

    choose: Callable[[Table], str]
    learn: Callable[[Table, str], Model]
    plain: Callable[[Table], Model]


@dataclass(frozen=True)
class Plan:
    """What the back-test is asked; stored with its result."""

    grace_days: int = 60
    most_cutoffs: int = 8
    folds: int = 3
    race_every: int = 4  # cut-offs: the rung is chosen anew once a year, and while it is L0
    seed: int = 1


@dataclass(frozen=True)
class Cutoff:
    """One day on which the model was learned, and what it was then judged on."""

    on: Day
    until: Day
    rung: str
    train_rows: int
    train_outcomes: int  # renewals, counted once
    train_events: int
    test_rows: int
    test_outcomes: int
    test_events: int


@dataclass
class OutOfTime:
    """Every tested row once: what each method said of it before it was known."""

    rows: Ints  # places in the table
    cutoff: Ints  # place in `cutoffs`
    said: dict[str, Floats]  # method -> probability of losing
    contributions: Floats  # [rows, features], on the logit
    cutoffs: list[Cutoff] = field(default_factory=list)


def renewal_of(table: Table) -> Ints:
    """A number for each renewal: rows of one account about one due date are one outcome."""
    due = table.due.astype("datetime64[D]").astype(np.int64)
    return np.asarray(
        np.unique(np.column_stack([table.account, due]), axis=0, return_inverse=True)[1]
    )


def ripe(table: Table, day: Day, grace_days: int) -> Flags:
    """Rows whose every sibling of the same due date was decided before `day`, and that were looked
    at before they were decided themselves."""
    grace = np.timedelta64(grace_days, "D")
    ended = np.where(np.isnat(table.due), table.known, table.due + grace)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            table.decided & (table.known < day) & (ended < day) & ~(table.known <= table.at)
        )


def quarter_starts(first: Day, last: Day) -> list[Day]:
    """First days of quarters in [first, last]."""
    start = first.astype("datetime64[M]").astype(int) // 3 * 3
    months = np.arange(start, last.astype("datetime64[M]").astype(int) + 1, 3)
    days = months.astype("datetime64[M]").astype("datetime64[D]")
    return [day for day in days if first <= day <= last]


def cutoffs_of(table: Table, today: Day, plan: Plan) -> list[tuple[Day, Day]]:
    """The newest quarters [on, until) in which rows lie that are decided by now; the first are left
    out while nothing was known yet."""
    tested = ripe(table, today, plan.grace_days)
    if not tested.any():
        return []
    days = quarter_starts(table.at[tested].min() - np.timedelta64(92, "D"), today)
    found = []
    for on, until in zip(days, [*days[1:], today], strict=True):
        looked_at = tested & (table.at >= on) & (table.at < until)
        if looked_at.any() and ripe(table, on, plan.grace_days).any():
            found.append((on, until))
    return found[-plan.most_cutoffs :]


def folds_of(account: Ints, count: int, seed: int) -> Ints:
    """Fold of each row by its account alone (splitmix64): the same at every cut-off."""
    with np.errstate(over="ignore"):
        z = account.astype(np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return np.asarray((z % np.uint64(max(1, count))).astype(np.int64))


def out_of_time(
    table: Table,
    known: Beside,
    learners: Learners,
    *,
    today: Day,
    plan: Plan,
    prior: float = ASSUMED_RATE,
    report: Report | None = None,
) -> OutOfTime:
    """Learn and judge at every cut-off. `prior`: the rate of losing while nothing is decided."""
    spans = cutoffs_of(table, today, plan)
    tested = ripe(table, today, plan.grace_days)
    renewal, fold = renewal_of(table), folds_of(table.account, plan.folds, plan.seed)
    parts: list[tuple[Ints, dict[str, Floats], Floats]] = []
    found: list[Cutoff] = []
    total = len(spans) * plan.folds
    rung = "L0"
    for place, (on, until) in enumerate(spans):
        before = ripe(table, on, plan.grace_days)
        after = tested & (table.at >= on) & (table.at < until)
        if rung == "L0" or place % plan.race_every == 0:
            rung = learners.choose(table.taken(before))
        for one in range(plan.folds):
            train = np.flatnonzero(before & (fold != one))
            test = np.flatnonzero(after & (fold == one))
            if len(test):
                learned = learners.learn(table.taken(train), rung).predict(table.taken(test))
                said = _simply(table, known, learners.plain, (train, test), prior)
                said[MODEL], why = learned.p, learned.contributions
                parts.append((test, said, why))
            if report is not None:
                report(place * plan.folds + one + 1, total)
        found.append(_cutoff(table, renewal, (on, until), rung, (before, after)))
    return _joined(table, parts, found)


def _simply(
    table: Table,
    known: Beside,
    plain: Callable[[Table], Model],
    rows: tuple[Ints, Ints],
    prior: float,
) -> dict[str, Floats]:
    """What the controls say of the test rows."""
    train, test = (table.taken(part) for part in rows)
    was, then = (known.taken(part) for part in rows)
    base = simple.base_rate(train, test, prior=prior)
    has_both = 0 < train.y.sum() < len(train)
    return {
        BASE: base,
        HEALTH: simple.health_alone(train, test, was, then, prior=prior),
        PLAIN: plain(train).predict(test).p if has_both else base,
        CSM: simple.category_alone(train, test, was, then, prior=prior),
    }


def _cutoff(
    table: Table, renewal: Ints, span: tuple[Day, Day], rung: str, parts: tuple[Flags, Flags]
) -> Cutoff:
    counts = []
    for rows in parts:
        first = np.unique(renewal[rows], return_index=True)[1]
        counts += [int(rows.sum()), len(first), int(table.y[rows][first].sum())]
    return Cutoff(span[0], span[1], rung, *counts)


def _joined(
    table: Table, parts: list[tuple[Ints, dict[str, Floats], Floats]], cutoffs: list[Cutoff]
) -> OutOfTime:
    if not parts:
        none = np.empty(0)
        said = dict.fromkeys(METHODS, none)
        empty = np.empty(0, dtype=np.int64)
        return OutOfTime(empty, empty, said, np.empty((0, len(table.features))), cutoffs)
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows, kind="stable")
    said = {name: np.concatenate([part[1][name] for part in parts])[order] for name in METHODS}
    starts = np.array([one.on for one in cutoffs], dtype="datetime64[D]")
    rows = rows[order]
    return OutOfTime(
        rows=rows,
        cutoff=np.asarray(np.searchsorted(starts, table.at[rows], side="right") - 1),
        said=said,
        contributions=np.concatenate([part[2] for part in parts])[order],
        cutoffs=cutoffs,
    )
