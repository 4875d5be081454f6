"""A small world of yearly renewals for tests of the back-test: its truth is known."""

from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.backtest import Learners
from gengyun.churn.calc.beside import Beside
from gengyun.churn.calc.table import Feature, Table

START = np.datetime64("2022-01-01")
FEATURES = (Feature("use", -1, 2.0), Feature("overdue", 1, 1.0), Feature("noise"))
GRACE = 60


def renewals(accounts=300, years=4, *, seed=1, strength=1.2, early=0.3):
    """(table, chance of each row): three landmarks per renewal, kept ones often signed early."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 365, accounts)
    rows = []
    for account in range(accounts):
        level = rng.normal()
        for year in range(years):
            due = START + np.timedelta64(int(first[account] + 365 * year), "D")
            now = 0.7 * level + 0.7 * rng.normal()
            overdue = float(rng.random() < 0.2)
            p = 1 / (1 + np.exp(-(-1.0 - strength * now + 0.8 * overdue)))
            lost = float(rng.random() < p)
            known = due + np.timedelta64(GRACE, "D")
            if not lost and rng.random() < early:
                known = due - np.timedelta64(int(rng.integers(5, 60)), "D")
            for lag in (180, 90, 30):
                at = due - np.timedelta64(lag, "D")
                seen = now + rng.normal() * lag / 300
                rows.append((account, at, due, known, lag, lost, seen, overdue, rng.normal(), p))
    columns = list(zip(*rows, strict=True))
    table = Table(
        features=FEATURES,
        x=np.column_stack([np.array(columns[n], dtype=float) for n in (6, 7, 8)]),
        y=np.array(columns[5]),
        account=np.array(columns[0]),
        at=np.array(columns[1], dtype="datetime64[D]"),
        due=np.array(columns[2], dtype="datetime64[D]"),
        known=np.array(columns[3], dtype="datetime64[D]"),
        tier=np.array(columns[0]) % 3,
        lag=np.array(columns[4]),
        amount_minor=100_000 * (1 + np.array(columns[0]) % 7),
    )
    return table, np.array(columns[9])


@dataclass
class Said:
    p: np.ndarray
    contributions: np.ndarray


@dataclass
class Line:
    """A logistic on the features as they are: enough to be learned from."""

    beta: np.ndarray
    rung: str = "L1"

    def predict(self, table):
        parts = np.nan_to_num(table.x) * self.beta[1:]
        return Said(1 / (1 + np.exp(-(self.beta[0] + parts.sum(axis=1)))), parts)


def learned(table):
    x = np.column_stack([np.ones(len(table)), np.nan_to_num(table.x)])
    beta = np.zeros(x.shape[1])
    for _ in range(20):
        q = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        curve = (x * (q * (1 - q))[:, None]).T @ x + 0.1 * np.eye(len(beta))
        beta += np.linalg.solve(curve, x.T @ (table.y - q) - 0.1 * beta)
    return Line(beta)


LEARNERS = Learners(lambda _table: "L1", lambda table, _rung: learned(table), learned)


def beside(table, *, health=True, said=True):
    """A health score that sees the use through a veil, and a CSM who judges half of them."""
    rng = np.random.default_rng(7)
    score = 60 + 15 * table.x[:, 0] + rng.normal(0, 15, len(table))
    category = np.where(table.x[:, 0] + rng.normal(0, 1, len(table)) < -1, 1, 0)
    category[rng.random(len(table)) < 0.5] = -1
    return Beside(
        score if health else np.full(len(table), np.nan),
        category if said else np.full(len(table), -1),
        ("commit", "at_risk"),
    )
