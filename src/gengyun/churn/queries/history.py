"""What was said of a renewal on past days, from the lake; nothing there is ever rewritten by a
newer model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from gengyun.lake.store import Lake

TABLE = "churn_forecasts"
WEEKS = 26
NO_RENEWAL = 0  # stands for null in keys: the event is about the customer


def forecast_days(lake: Lake | None = None) -> list[date]:
    """Every day of which there are forecasts, ascending."""
    days = (lake or Lake.default()).partitions(TABLE)
    return [day if isinstance(day, date) else date.fromisoformat(str(day)) for day in days]


def newest_day(until: date, *, lake: Lake | None = None, within: int | None = None) -> date | None:
    """The newest day with forecasts on or before `until`, no more than `within` days before."""
    found = max((day for day in forecast_days(lake) if day <= until), default=None)
    if found is not None and within is not None and (until - found).days > within:
        return None
    return found


def read_forecasts(
    as_of: date,
    columns: Sequence[str] | None = None,
    *,
    lake: Lake | None = None,
    customer_id: int | None = None,
) -> pa.Table:
    """Rows of one day; empty when the day was not judged."""
    where: list[tuple[str, str, Any]] = [("as_of", "=", as_of)]
    if customer_id is not None:
        where.append(("customer_id", "=", customer_id))
    wanted = None if columns is None else list(columns)
    return (lake or Lake.default()).read(TABLE, where=where, columns=wanted)


Key = tuple[int, int]  # customer, renewal or NO_RENEWAL


@dataclass(frozen=True)
class Said:
    """What one day said of one renewal."""

    probability: float | None
    low: float | None
    high: float | None
    lag_days: int | None
    model_id: int | None


def said_on(as_of: date, *, lake: Lake | None = None) -> dict[Key, Said]:
    """(customer, renewal) -> what exactly this day said."""
    columns = ["customer_id", "renewal_id", "probability", "low", "high", "lag_days", "model_id"]
    rows = read_forecasts(as_of, columns, lake=lake)
    lists = [rows[name].to_pylist() for name in columns]
    return {
        (customer, renewal or NO_RENEWAL): Said(*rest)
        for customer, renewal, *rest in zip(*lists, strict=True)
    }


def probabilities_on(as_of: date, *, lake: Lake | None = None) -> dict[Key, float]:
    """(customer, renewal) -> probability on exactly this day, the refused left out."""
    return {
        key: said.probability
        for key, said in said_on(as_of, lake=lake).items()
        if said.probability is not None
    }


def slots(as_of: date, weeks: int, days: Sequence[date]) -> list[date]:
    """The newest day with forecasts in each of the weeks that end at `as_of`, oldest first."""
    found = []
    for week in reversed(range(weeks)):
        end = as_of - timedelta(weeks=week)
        inside = [day for day in days if end - timedelta(days=7) < day <= end]
        if inside:
            found.append(max(inside))
    return found


def weekly_lines(as_of: date, *, weeks: int = WEEKS, lake: Lake | None = None) -> "Lines":
    """The weekly probabilities before `as_of` of everything that was forecast."""
    lake = lake or Lake.default()
    days = slots(as_of, weeks, [day for day in forecast_days(lake) if day < as_of])
    return Lines([(day, said_on(day, lake=lake)) for day in days])


@dataclass(frozen=True)
class Lines:
    days: Sequence[tuple[date, Mapping[Key, Said]]]

    def of(self, key: Key) -> list[list[Any]]:
        """[[ISO day, probability, low, high, model id]] from the first forecast on, as JSON."""
        line = []
        for day, said in self.days:
            one = said.get(key)
            if one is not None:
                line.append([day.isoformat(), one.probability, one.low, one.high, one.model_id])
        return line


def line_of(
    customer_id: int,
    renewal_id: int | None,
    *,
    until: date,
    weeks: int = WEEKS,
    lake: Lake | None = None,
) -> list[list[Any]]:
    """The same for one renewal, read from the lake."""
    lake = lake or Lake.default()
    line: list[list[Any]] = []
    for day in slots(until, weeks, forecast_days(lake)):
        rows = read_forecasts(day, lake=lake, customer_id=customer_id).to_pylist()
        line += [
            [day.isoformat(), row["probability"], row["low"], row["high"], row["model_id"]]
            for row in rows
            if row["renewal_id"] == renewal_id
        ]
    return line


def forecast_on(customer_id: int, as_of: date, *, lake: Lake | None = None) -> list[dict[str, Any]]:
    """The forecasts of a customer of the newest day on or before `as_of`, at most a week earlier,
    with drivers as they were told then."""
    lake = lake or Lake.default()
    day = newest_day(as_of, lake=lake, within=6)
    if day is None:
        return []
    rows = read_forecasts(day, lake=lake, customer_id=customer_id).to_pylist()
    for row in rows:
        for name in ("drivers", "missing", "counterfactuals"):
            row[name] = msgspec.json.decode(row[name])
    return sorted(rows, key=lambda row: (row["due_on"] or date.max, row["renewal_id"] or 0))
