"""Sums of a simulated forecast: what decided renewals came to and what open ones were drawn as."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gengyun.revenue.calc.renewal_odds import Floats, Ints

QUANTILES = (0.025, 0.10, 0.50, 0.90, 0.975)

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Amount:
    """What a group of renewals comes to, in minor units; quantiles as in QUANTILES."""

    settled_minor: int  # of those decided
    expected_minor: int
    quantile_minor: tuple[int, ...]

    @property
    def p10_minor(self) -> int:
        return self.quantile_minor[1]

    @property
    def p50_minor(self) -> int:
        return self.quantile_minor[2]

    @property
    def p90_minor(self) -> int:
        return self.quantile_minor[3]


@dataclass(frozen=True)
class Sums(Amount):
    """One group of renewals: with price rises and upsell, and beside it what is kept at most."""

    count: int
    open_count: int
    due_minor: int
    gross: Amount

    @property
    def nrr(self) -> float | None:
        """Expected over due; None: nothing comes due."""
        return self.expected_minor / self.due_minor if self.due_minor else None

    @property
    def grr(self) -> float | None:
        """Expected, of each renewal at most what comes due, over due."""
        return self.gross.expected_minor / self.due_minor if self.due_minor else None


NOTHING = Sums(
    settled_minor=0,
    expected_minor=0,
    quantile_minor=(0,) * len(QUANTILES),
    count=0,
    open_count=0,
    due_minor=0,
    gross=Amount(0, 0, (0,) * len(QUANTILES)),
)


class Members:
    """Which rows belong to which code of a dimension; -1 belongs nowhere."""

    def __init__(self, codes: Ints) -> None:
        found, place = np.unique(codes, return_inverse=True)
        first = int(np.searchsorted(found, 0))
        self.codes = found[first:]
        self.place = place - first

    def add(self, rows: Ints, amounts: Singles, *, to: Floats) -> None:
        """Add [row, draw] amounts of some rows to the [code, draw] sums.

        Row by row: quicker than a product with a matrix of ones and zeros, whose threads wait for
        one another on a busy machine, and exact to the last minor unit.
        """
        for place, amount in zip(self.place[rows].tolist(), amounts, strict=True):
            if place >= 0:
                to[place] += amount

    def sums(self, minor: Ints) -> list[int]:
        """Of each code, in whole minor units; `bincount` would go through floats."""
        total = np.zeros(len(self.codes), dtype=np.int64)
        belongs = self.place >= 0
        np.add.at(total, self.place[belongs], minor[belongs])
        return [int(one) for one in total]


@dataclass(frozen=True)
class Drawn:
    """Sums over the draws of every dimension, and the mean of every renewal."""

    members: Mapping[str, Members]
    settled_minor: Floats  # nan: open
    sums: dict[str, Floats]  # dimension -> [code, draw]
    means: Floats

    @classmethod
    def of(cls, members: Mapping[str, Members], settled_minor: Floats, draws: int) -> "Drawn":
        sums = {name: np.zeros((len(found.codes), draws)) for name, found in members.items()}
        return cls(members, settled_minor, sums, np.zeros(len(settled_minor)))

    def add(self, rows: Ints, amounts: Singles) -> None:
        self.means[rows] = amounts.mean(axis=1)
        for name, found in self.members.items():
            found.add(rows, amounts, to=self.sums[name])

    def expected(self) -> Ints:
        """Whole minor units: the mean over the draws, or what a decided one came to."""
        settled = self.settled_minor
        return np.round(np.where(np.isfinite(settled), settled, self.means)).astype(np.int64)

    def amounts(self, name: str) -> list[Amount]:
        """Of each code of a dimension."""
        members, drawn = self.members[name], self.sums[name]
        decided = np.nan_to_num(self.settled_minor).astype(np.int64)
        fixed, expected = members.sums(decided), members.sums(self.expected())
        levels = (
            np.quantile(drawn, QUANTILES, axis=1) if len(drawn) else np.zeros((len(QUANTILES), 0))
        )
        return [
            Amount(fixed[k], expected[k], tuple(fixed[k] + round(float(one[k])) for one in levels))
            for k in range(len(drawn))
        ]


def sums_of(name: str, due_minor: Ints, net: Drawn, gross: Drawn) -> dict[int, Sums]:
    """Code -> sums of a dimension."""
    members = net.members[name]
    is_open = np.isnan(net.settled_minor).astype(np.int64)
    counted = (np.ones_like(due_minor), is_open, due_minor)
    columns = [members.sums(one) for one in counted]
    found = zip(
        members.codes.tolist(), net.amounts(name), gross.amounts(name), *columns, strict=True
    )
    return {
        code: Sums(
            settled_minor=mine.settled_minor,
            expected_minor=mine.expected_minor,
            quantile_minor=mine.quantile_minor,
            count=count,
            open_count=left,
            due_minor=due,
            gross=kept,
        )
        for code, mine, kept, count, left, due in found
    }
