"""The table that a churn model learns from and scores: one row is one renewal (or one customer)
seen on one day.

Only arrays: where they come from (database, lake, a CSV, the simulator) is the caller's business.
nan is unknown, never 0; NaT is no date; -1 is no tier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]

Kind = Literal["number", "flag"]
NO_TIER = -1


@dataclass(frozen=True)
class Feature:
    """One column.

    `sign` +1: more of it means more risk, -1 less, 0 not known beforehand. `weight`, the expert's,
    is 0 to 3. `group` names what belongs together when reasons are shown. `actionable`: a person
    can change it, so that a counterfactual makes sense. A flag is 0 or 1.
    """

    key: str
    sign: int = 0
    weight: float = 1.0
    group: str = ""
    actionable: bool = False
    kind: Kind = "number"


@dataclass(frozen=True)
class Table:
    """Columns of equal length; `x` is rows by features."""

    features: tuple[Feature, ...]
    x: Floats
    y: Floats  # 1 lost, 0 kept, nan not decided yet (censored)
    account: Ints  # rows of one account never stand on both sides of a comparison
    at: Days  # day of the snapshot
    due: Days  # the day the event is about; NaT none
    known: Days  # day on which the outcome was known: signature, or due + grace; NaT not yet
    tier: Ints  # index of the tier, -1 unknown
    lag: Ints  # days from `at` to `due`
    amount_minor: Ints

    def __post_init__(self) -> None:
        rows = len(self.x)
        if self.x.ndim != 2 or self.x.shape[1] != len(self.features):
            raise ValueError(f"x is {self.x.shape}, features are {len(self.features)}")
        for field in fields(self):
            if field.name not in ("features", "x") and len(getattr(self, field.name)) != rows:
                raise ValueError(f"{field.name} has not {rows} rows")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(feature.key for feature in self.features)

    @property
    def decided(self) -> Flags:
        """Rows whose outcome is known."""
        return ~np.isnan(self.y)

    @property
    def weight(self) -> Floats:
        """What each row counts for in learning: landmarks of one renewal have one outcome, and
        count together as one. Counted as many they would make every model too sure (measured on
        worlds: docs/churn-models.md). Rows without a due day count one each."""
        due = self.due.astype("datetime64[D]").astype(np.int64)
        key = np.column_stack([self.account, due])
        _, place, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
        share = 1.0 / count[place.reshape(-1)]
        return np.where(np.isnat(self.due), 1.0, share)

    def taken(self, rows: Ints | Flags | slice) -> "Table":
        """The rows that `rows` (places, or one flag a row) names, in that order."""
        parts: dict[str, Any] = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name != "features"
        }
        return Table(features=self.features, **parts)

    def with_features(self, keys: Sequence[str]) -> "Table":
        """The columns named, in that order; one that the table lacks is unknown in all rows."""
        place = {key: at for at, key in enumerate(self.keys)}
        columns = [
            self.x[:, place[key]] if key in place else np.full(len(self), np.nan) for key in keys
        ]
        return Table(
            tuple(self.features[place[key]] if key in place else Feature(key) for key in keys),
            np.column_stack(columns) if columns else np.empty((len(self), 0)),
            *(getattr(self, field.name) for field in fields(self)[2:]),
        )


def plain_table(
    features: Sequence[Feature],
    x: Floats,
    y: Floats | None = None,
    *,
    account: Ints | None = None,
    at: Days | None = None,
    tier: Ints | None = None,
) -> Table:
    """A table from columns alone: each row an account of its own, days and tiers unknown."""
    rows = len(x)
    no_day = np.full(rows, np.datetime64("NaT"), dtype="datetime64[D]")
    seen = no_day if at is None else at
    return Table(
        features=tuple(features),
        x=np.asarray(x, dtype=np.float64),
        y=np.full(rows, np.nan) if y is None else np.asarray(y, dtype=np.float64),
        account=np.arange(rows) if account is None else account,
        at=seen,
        due=no_day,
        known=seen,
        tier=np.full(rows, NO_TIER) if tier is None else tier,
        lag=np.zeros(rows, dtype=np.int64),
        amount_minor=np.zeros(rows, dtype=np.int64),
    )


def joined(tables: Sequence[Table]) -> Table:
    """Tables of the same features, one under the other."""
    first = tables[0]
    if any(table.keys != first.keys for table in tables):
        raise ValueError("the tables differ in their features")
    parts: dict[str, Any] = {
        field.name: np.concatenate([getattr(table, field.name) for table in tables])
        for field in fields(first)
        if field.name != "features"
    }
    return Table(features=first.features, **parts)
