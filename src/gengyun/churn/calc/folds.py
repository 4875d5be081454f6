"""How training rows are split to compare models: never one account on both sides, and in the order
of time wherever days are known (science.md 3.3: row-wise folds choose the wrong model).
"""

from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.table import Floats, Ints, Table

GROUPS = 5
CUTS = (0.5, 0.67, 0.83)  # of the days of the snapshots: where a rolling origin stands
TIME_GROUPS = 3
LEAST_EVENTS = 8  # in the training part of a fold
LEAST_JUDGED = 20  # events that all folds in time must judge together


@dataclass(frozen=True)
class Fold:
    train: Ints
    judged: Ints


@dataclass(frozen=True)
class Folds:
    folds: tuple[Fold, ...]
    in_time: bool

    @property
    def judged(self) -> Ints:
        return np.sort(np.concatenate([fold.judged for fold in self.folds]))


def folds_for(table: Table, *, seed: int = 1) -> Folds:
    """Rolling origins with held-out accounts; without days, or with too few losses for it,
    account folds alone."""
    rolling = _rolling(table, seed)
    if rolling and sum(table.y[fold.judged].sum() for fold in rolling) >= LEAST_JUDGED:
        return Folds(tuple(rolling), in_time=True)
    group = account_groups(table.account, table.y, GROUPS, seed)
    plain = [Fold(np.flatnonzero(group != g), np.flatnonzero(group == g)) for g in range(GROUPS)]
    return Folds(tuple(fold for fold in plain if _can_learn(table.y, fold)), in_time=False)


def account_groups(account: Ints, y: Floats, count: int, seed: int) -> Ints:
    """A group for each row, by its account; losses are dealt out evenly."""
    names, place = np.unique(account, return_inverse=True)
    losses = np.bincount(place, weights=y, minlength=len(names))
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(names)), -losses))
    dealt = np.empty(len(names), dtype=np.int64)
    dealt[order] = np.arange(len(names)) % count
    return np.asarray(dealt[place], dtype=np.int64)


def _rolling(table: Table, seed: int) -> list[Fold]:
    if np.isnat(table.at).any() or np.isnat(table.known).any():
        return []
    days = np.unique(table.at)
    if len(days) < 2 * len(CUTS):
        return []
    seen = np.sort(table.at)
    cuts = [seen[int(share * (len(seen) - 1))] for share in CUTS]
    ends = [*cuts[1:], seen[-1]]
    group = account_groups(table.account, table.y, TIME_GROUPS, seed)
    found = []
    for cut, end in zip(cuts, ends, strict=True):
        past = table.known <= cut
        ahead = (table.at > cut) & (table.at <= end)
        for g in range(TIME_GROUPS):
            fold = Fold(np.flatnonzero(past & (group != g)), np.flatnonzero(ahead & (group == g)))
            if _can_learn(table.y, fold):
                found.append(fold)
    return found


def _can_learn(y: Floats, fold: Fold) -> bool:
    lost = float(y[fold.train].sum())
    return len(fold.judged) > 0 and LEAST_EVENTS / 2 <= lost <= len(fold.train) - LEAST_EVENTS / 2
