"""How right the renewal forecast was: bias and error against what came out, by lead time.

Amounts are whole minor units of one currency. A renewal nobody had judged at the lead time is
counted apart and stands in no ratio; where a ratio has no ground it is None.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

LEADS = (90, 60, 30)  # days before the due date
Z95 = 1.959964
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Outcome:
    """One renewal that is decided, with the forecast as it stood at one lead time."""

    due_minor: int
    forecast_minor: int | None  # None: not judged then
    actual_minor: int  # renewed ARR; 0: lost
    category: str
    renewed: bool


@dataclass(frozen=True)
class Accuracy:
    count: int  # decided renewals
    judged: int  # with a forecast at the lead time
    due_minor: int  # of the judged ones, as all sums below
    forecast_minor: int
    actual_minor: int
    error_minor: int  # sum of |forecast - actual|

    @property
    def bias(self) -> float | None:
        """(forecast - actual) / due; above 0: too hopeful."""
        if not self.due_minor:
            return None
        return (self.forecast_minor - self.actual_minor) / self.due_minor

    @property
    def error(self) -> float | None:
        """Weighted absolute error: sum of |forecast - actual| / due."""
        return self.error_minor / self.due_minor if self.due_minor else None

    @property
    def total_error(self) -> float | None:
        """|sum of forecasts - sum of actuals| / sum of actuals: what a total missed by."""
        if not self.actual_minor:
            return None
        return abs(self.forecast_minor - self.actual_minor) / self.actual_minor


def accuracy(rows: Iterable[Outcome]) -> Accuracy:
    count = judged = due = forecast = actual = error = 0
    for row in rows:
        count += 1
        if row.forecast_minor is None:
            continue
        judged += 1
        due += row.due_minor
        forecast += row.forecast_minor
        actual += row.actual_minor
        error += abs(row.forecast_minor - row.actual_minor)
    return Accuracy(count, judged, due, forecast, actual, error)


def by_key(rows: Iterable[tuple[K, Outcome]]) -> dict[K, Accuracy]:
    """Person, segment or lead time -> accuracy; the sums of the parts are those of the whole."""
    groups: dict[K, list[Outcome]] = {}
    for key, row in rows:
        groups.setdefault(key, []).append(row)
    return {key: accuracy(found) for key, found in groups.items()}


@dataclass(frozen=True)
class HitRate:
    """Of the renewals once put into a category, how many renewed."""

    count: int
    renewed: int
    due_minor: int
    actual_minor: int

    @property
    def rate(self) -> float | None:
        return self.renewed / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.renewed, self.count)


def hit_rates(rows: Iterable[Outcome]) -> dict[str, HitRate]:
    """Category at the lead time -> what became of it."""
    found: dict[str, list[Outcome]] = {}
    for row in rows:
        found.setdefault(row.category, []).append(row)
    return {
        category: HitRate(
            len(group),
            sum(row.renewed for row in group),
            sum(row.due_minor for row in group),
            sum(row.actual_minor for row in group),
        )
        for category, group in found.items()
    }


def wilson(hits: int, count: int, z: float = Z95) -> tuple[float, float] | None:
    """Wilson's score interval of a share (Wilson 1927); None without any row."""
    if count == 0:
        return None
    share = hits / count
    base = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / base
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / base
    return max(0.0, middle - half), min(1.0, middle + half)
