"""What a team that can look after so many customers would have caught with a probability. Pure.

Month by month the due renewals are ranked by probability x amount, as alerts are; a renewal is told
once, at the first landmark at which it gets in; only those above the rate of their tier are told
at all. Budget: science.md 5.3, at most 4 new per 100 accounts and month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.measures import shortened
from gengyun.churn.calc.table import Floats, Ints, Table
from gengyun.revenue.calc.accuracy import wilson

PER_100 = 4.0
Month = int  # months since 1970-01


@dataclass(frozen=True)
class Caught:
    """Told renewals, and what became of them."""

    told: int
    right: int  # of these lost
    lost: int  # of all tested renewals
    lost_minor: int
    right_minor: int
    lead_days: float  # median, of the right ones; nan without any
    months: int
    rows: tuple[int, ...] = ()  # places of the told ones, at the landmark they got in

    def to_json(self) -> dict[str, Any]:
        precision, recall = wilson(self.right, self.told), wilson(self.right, self.lost)
        return {
            "told": self.told,
            "right": self.right,
            "lost": self.lost,
            "months": self.months,
            "precision": _share(self.right, self.told),
            "precision_interval": [shortened(end) for end in precision] if precision else None,
            "recall": _share(self.right, self.lost),
            "recall_interval": [shortened(end) for end in recall] if recall else None,
            "amount_recall": _share(self.right_minor, self.lost_minor),
            "lead_days": shortened(self.lead_days),
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def months_of(table: Table) -> Ints:
    return np.asarray(table.at.astype("datetime64[M]").astype(np.int64))


def tell(
    table: Table,
    renewal: Ints,
    said: tuple[Floats, Floats],
    accounts: Mapping[Month, int],
    per_100: float,
) -> Caught:
    """`table`: the tested rows; `said`: of each the probability and the rate of its tier;
    `accounts`: how many customers there were in the month.

    What a month does not use up is not saved for the next: a team cannot either.
    """
    p, floor = said
    month = months_of(table)
    worth = p * np.where(table.amount_minor > 0, table.amount_minor, 1)
    told: dict[int, int] = {}  # renewal -> row
    part = 0.0
    for one in np.unique(month):
        part += accounts.get(int(one), 0) * per_100 / 100
        most = int(part)
        part -= most
        rows = np.flatnonzero((month == one) & (p > floor))
        taken = 0
        for row in rows[np.argsort(-worth[rows], kind="stable")]:
            if taken >= most:
                break
            if int(renewal[row]) not in told:
                told[int(renewal[row])] = int(row)
                taken += 1
    return _caught(table, renewal, told, len(np.unique(month)))


def _caught(table: Table, renewal: Ints, told: dict[int, int], months: int) -> Caught:
    first = np.unique(renewal, return_index=True)[1]
    lost = first[table.y[first] == 1]
    right = np.array([row for row in told.values() if table.y[row] == 1], dtype=np.int64)
    lead = table.lag[right]
    return Caught(
        told=len(told),
        right=len(right),
        lost=len(lost),
        lost_minor=int(table.amount_minor[lost].sum()),
        right_minor=int(table.amount_minor[right].sum()),
        lead_days=float(np.median(lead)) if len(lead) else float("nan"),
        months=months,
        rows=tuple(sorted(told.values())),
    )
