"""Use of every customer on every day of a window, as it was known at the beginning of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gengyun.customers.queries.merges import kept_as_of
from gengyun.lake import tables
from gengyun.lake.conditions import Condition
from gengyun.lake.engine import Engine
from gengyun.lake.store import Lake
from gengyun.usage.calc.calendar import Calendar, learn
from gengyun.usage.calc.plan import ANY_USE

if TYPE_CHECKING:
    import ibis.expr.types as ir


HALF_A_YEAR = 182  # days: a baseline of 84, and what the calendar learns from


@dataclass(frozen=True)
class UsageDays:
    """`use[k, d]`: events of customer_ids[k] on start + d days; the last column is as_of - 1."""

    as_of: date
    start: date
    customer_ids: npt.NDArray[np.int64]  # ascending
    use: npt.NDArray[np.int32]
    # days with use before `start`; a day part of whose events came late may count twice
    active_days_before: npt.NDArray[np.int64]
    last_on: npt.NDArray[np.datetime64]  # last day with use, whenever; NaT: never

    def of(self, customer_id: int) -> npt.NDArray[np.int32] | None:
        """The days of one customer; None if it is not among the rows."""
        row = int(np.searchsorted(self.customer_ids, customer_id))
        if row == len(self.customer_ids) or self.customer_ids[row] != customer_id:
            return None
        return np.asarray(self.use[row])

    def calendar(self) -> Calendar:
        """Learned from these customers: ask for all of them first."""
        return learn(self.use, start=self.start)


def usage_days(
    as_of: date,
    *,
    customer_ids: Sequence[int] | None = None,
    days: int = HALF_A_YEAR,
    lake: Lake | None = None,
    engine: Engine | None = None,
) -> UsageDays:
    """From the roll-ups. Without `customer_ids`: every customer that was ever heard from.

    A customer asked for that was never heard from has a row of zeros and no `last_on`.
    """
    lake = lake or Lake.default()
    start = as_of - timedelta(days=days)
    if engine is None:
        with Engine() as own:
            inside, older = _read(own, lake, as_of, start)
    else:
        inside, older = _read(engine, lake, as_of, start)
    inside, older = _joined(inside, as_of), _joined(older, as_of)
    if customer_ids is None:
        ids = np.union1d(_column(inside, "customer_id"), _column(older, "customer_id"))
    else:
        ids = np.unique(np.asarray(customer_ids, dtype=np.int64))
    use = _window(inside, ids, start, days)
    before, last = _before(older, ids)
    used = use > 0
    latest = np.datetime64(as_of, "D") - 1 - used[:, ::-1].argmax(axis=1)
    last = np.where(used.any(axis=1), latest, last)
    return UsageDays(as_of, start, ids, use, before, last)


def _read(engine: Engine, lake: Lake, as_of: date, start: date) -> tuple[pa.Table, pa.Table]:
    """The rows of the window as they are (a day with late events has several), and one row per
    customer of all that lies before."""
    where: list[Condition] = [("measure", "=", ANY_USE.key), ("known_day", "<", as_of)]
    schema = tables.SCHEMAS["daily"]

    def files(*more: Condition) -> list[str]:
        return lake.files("daily", where=[*where, *more])

    rows = engine.table("usage_days", files(("day", ">=", start), ("day", "<", as_of)), schema)
    old = engine.table("usage_before", files(("day", "<", start)), schema)

    def inside() -> "ir.Table":
        known = rows.filter(rows.day >= start, rows.day < as_of, rows.known_day < as_of)
        return known.select("customer_id", "day", "n")

    def before() -> "ir.Table":
        known = old.filter(old.day < start, old.known_day < as_of)
        return known.group_by("customer_id").agg(days=known.n.count(), last_on=known.day.max())

    return (
        engine.run(inside, same_as=("usage_days", as_of, start)),
        engine.run(before, same_as=("usage_before", as_of, start)),
    )


def _joined(rows: pa.Table, as_of: date) -> pa.Table:
    """Rows of customers that became part of another by then, as that one's."""
    kept = kept_as_of(as_of)
    if not kept or not rows.num_rows:
        return rows
    ids = _column(rows, "customer_id").copy()
    for gone, into in kept.items():
        ids[ids == gone] = into
    place = rows.schema.get_field_index("customer_id")
    return rows.set_column(place, "customer_id", pa.array(ids))


def _column(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    return np.asarray(rows[name].to_numpy())


def _places(customers: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> Any:
    """Row of each customer in `ids`, and whether it is there at all."""
    if not len(ids):
        return np.zeros(len(customers), dtype=np.int64), np.zeros(len(customers), dtype=np.bool_)
    row = np.minimum(np.searchsorted(ids, customers), len(ids) - 1)
    return row, ids[row] == customers


def _window(
    rows: pa.Table, ids: npt.NDArray[np.int64], start: date, days: int
) -> npt.NDArray[np.int32]:
    row, asked = _places(_column(rows, "customer_id"), ids)
    day = _column(rows, "day").astype("datetime64[D]")
    place = row * days + (day - np.datetime64(start, "D")).astype(np.int64)
    n = np.bincount(place[asked], weights=_column(rows, "n")[asked], minlength=len(ids) * days)
    return np.minimum(n, np.iinfo(np.int32).max).astype(np.int32).reshape(len(ids), days)


def _before(rows: pa.Table, ids: npt.NDArray[np.int64]) -> Any:
    row, asked = _places(_column(rows, "customer_id"), ids)
    days = np.zeros(len(ids), dtype=np.int64)
    np.add.at(days, row[asked], _column(rows, "days")[asked])
    last = np.full(len(ids), np.datetime64("NaT"), dtype="datetime64[D]")
    np.fmax.at(last, row[asked], _column(rows, "last_on").astype("datetime64[D]")[asked])
    return days, last
