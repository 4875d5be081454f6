"""What the ladder is worth on a table, beside its control: the same rows learned from, the same
judged, several times over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gengyun.churn.calc.folds import account_groups
from gengyun.churn.calc.ladder import Trained, fit, plain_logistic
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.scorecard import scorecard
from gengyun.churn.calc.scores import all_scores, bootstrap
from gengyun.churn.calc.stack import line, mixed
from gengyun.churn.calc.table import Floats, Ints, Table

MODEL, PLAIN, CARD, BASE = "model", "plain_logistic", "scorecard", "base_rate"
Told = Mapping[str, Floats]


@dataclass(frozen=True)
class Split:
    train: Ints
    judged: Ints


@dataclass
class Found:
    """Of every split: scores by method, the rung taken; all judged rows with what was said."""

    scores: list[dict[str, dict[str, float]]] = field(default_factory=list)
    rungs: list[str] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    said: list[tuple[Ints, Told]] = field(default_factory=list)
    last: Trained | None = None

    def values(self, score: str, method: str = MODEL) -> Floats:
        return np.array([one[method][score] for one in self.scores])

    def mean(self, score: str, method: str = MODEL) -> float:
        values = self.values(score, method)
        values = values[~np.isnan(values)]
        return float(values.mean()) if len(values) else float("nan")

    def gain(self, score: str, other: str = PLAIN) -> tuple[float, float]:
        """Mean difference to another method over the splits, and its standard error; the error is
        nan for one split."""
        gap = self.values(score) - self.values(score, other)
        error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan
        return float(gap.mean()), float(error)


def judge(
    table: Table,
    splits: list[Split],
    *,
    seed: int = 1,
    trees: bool = True,
    report: Callable[[int, int], None] | None = None,
) -> Found:
    """Learn and judge each split; rows without an outcome must not be in it."""
    found = Found()
    for at, split in enumerate(splits):
        train, judged = table.taken(split.train), table.taken(split.judged)
        trained = fit(train, base_rates={}, seed=seed, trees=trees)
        told = said(trained, train, judged)
        found.scores.append({name: all_scores(judged.y, p) for name, p in told.items()})
        found.rungs.append(trained.rung)
        found.events.append(trained.events)
        found.said.append((split.judged, told))
        found.last = trained
        if report:
            report(at + 1, len(splits))
    return found


def said(trained: Trained, train: Table, judged: Table) -> dict[str, Floats]:
    """Probabilities by method. The scorecard is left out where no direction is known."""
    told = {
        MODEL: expit(trained.model.logits(judged)),
        PLAIN: expit(plain_logistic(train).logits(judged)),
        BASE: np.full(len(judged), train.y.mean()),
    }
    if any(feature.sign for feature in train.features):
        card = scorecard(train, {})
        weights = line(card.risk(train.x), train.y)
        told[CARD] = expit(mixed(weights, card.risk(judged.x)[:, None]))
    return told


def fold_splits(table: Table, *, folds: int = 5, repeats: int = 1, seed: int = 1) -> list[Split]:
    """Accounts are dealt to `folds` groups, each judged once, `repeats` times over."""
    rows = np.flatnonzero(table.decided)
    found = []
    for repeat in range(repeats):
        group = account_groups(table.account[rows], table.y[rows], folds, seed + repeat)
        found += [Split(rows[group != g], rows[group == g]) for g in range(folds)]
    return found


def size_splits(table: Table, *, size: int, repeats: int, seed: int = 1) -> list[Split]:
    """Accounts are drawn until `size` rows are reached; all others are judged."""
    rows = np.flatnonzero(table.decided)
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng(seed + repeat)
        names = rng.permutation(np.unique(table.account[rows]))
        counts = dict(zip(*np.unique(table.account[rows], return_counts=True), strict=True))
        upto = int(np.searchsorted(np.cumsum([counts[name] for name in names]), size)) + 1
        mine = np.isin(table.account[rows], names[:upto])
        found.append(Split(rows[mine], rows[~mine]))
    return found


def time_split(table: Table, *, before: np.datetime64, after: np.datetime64) -> Split:
    """Learned from: seen before `before` and decided by `after`; judged: seen from `after` on."""
    learned = table.decided & (table.at < before) & (table.known <= after)
    return Split(np.flatnonzero(learned), np.flatnonzero(table.decided & (table.at >= after)))


def intervals(
    table: Table, found: Found, names: tuple[str, ...], *, draws: int = 200
) -> dict[str, dict[str, tuple[float, float]]]:
    """95 % interval of each score of the first split, whole accounts drawn again."""
    from gengyun.churn.calc.scores import SCORES

    rows, told = found.said[0]
    y, account = table.y[rows], table.account[rows]
    return {
        method: {
            name: bootstrap(_drawn(SCORES[name], y, p), account, draws=draws) for name in names
        }
        for method, p in told.items()
    }


def _drawn(score: Callable[[Floats, Floats], float], y: Floats, p: Floats) -> Any:
    return lambda drawn: score(y[drawn], p[drawn])
