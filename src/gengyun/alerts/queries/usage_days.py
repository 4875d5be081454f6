"""Use of every customer on every day of a window, as it was known at the beginning of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gengyun.alerts.calc.calendar import Calendar, learn
from gengyun.alerts.calc.detect import DAYS_NEEDED
from gengyun.lake import tables
from gengyun.lake.engine import Engine
from gengyun.lake.store import Lake
from gengyun.usage.calc.plan import ANY_USE

if TYPE_CHECKING:
    from gengyun.lake.conditions import Condition


@dataclass(frozen=True)
class UsageDays:
    """`use[k, d]`: events of customer_ids[k] on start + d days; the last column is as_of - 1."""

    as_of: date
    start: date
    customer_ids: npt.NDArray[np.int64]  # ascending
    use: npt.NDArray[np.int32]
    active_days_before: npt.NDArray[np.int64]  # days with use before `start`
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
    days: int = DAYS_NEEDED,
    lake: Lake | None = None,
    engine: Engine | None = None,
) -> UsageDays:
    """One query over the roll-ups. Without `customer_ids`: every customer that was ever heard from.

    A customer asked for that was never heard from has a row of zeros and no `last_on`.
    """
    lake = lake or Lake.default()
    start = as_of - timedelta(days=days)
    if engine is None:
        with Engine() as own:
            found = own.run(_rows(own, lake, as_of, start))
    else:
        found = engine.run(_rows(engine, lake, as_of, start))
    customers = found["customer_id"].to_numpy()
    if customer_ids is None:
        ids = np.unique(customers)
    else:
        ids = np.unique(np.asarray(customer_ids, dtype=np.int64))
    return _scattered(found, customers, ids, as_of=as_of, start=start, days=days)


def _rows(engine: Engine, lake: Lake, as_of: date, start: date) -> Any:
    """(customer, day, n) inside the window; before it one row per customer: the days, as n."""
    import ibis

    where: list[Condition] = [
        ("measure", "=", ANY_USE.key),
        ("day", "<", as_of),
        ("known_day", "<", as_of),
    ]
    files = lake.files("daily", where=where)
    table = engine.table("usage_days", files, tables.SCHEMAS["daily"])
    known = table.filter(table.day < as_of, table.known_day < as_of)
    # a day with late events has several rows
    each = known.group_by("customer_id", "day").agg(n=known.n.sum())
    # all days before the window become one: the day before it
    place = ibis.ifelse(each.day < start, start - timedelta(days=1), each.day)
    placed = each.mutate(place=place)
    return placed.group_by("customer_id", "place").agg(
        n=placed.n.sum(), days=placed.n.count(), last_on=placed.day.max()
    )


def _scattered(
    found: pa.Table,
    customers: npt.NDArray[np.int64],
    ids: npt.NDArray[np.int64],
    *,
    as_of: date,
    start: date,
    days: int,
) -> UsageDays:
    use = np.zeros((len(ids), days), dtype=np.int32)
    before = np.zeros(len(ids), dtype=np.int64)
    last = np.full(len(ids), np.datetime64("NaT"), dtype="datetime64[D]")
    if len(ids) and len(customers):
        row = np.minimum(np.searchsorted(ids, customers), len(ids) - 1)
        asked = ids[row] == customers
        place = found["place"].to_numpy().astype("datetime64[D]")
        column = (place - np.datetime64(start, "D")).astype(np.int64)
        inside = asked & (column >= 0)
        n = np.minimum(found["n"].to_numpy(), np.iinfo(np.int32).max)
        use[row[inside], column[inside]] = n[inside]
        old = asked & (column < 0)
        before[row[old]] = found["days"].to_numpy()[old]
        when = found["last_on"].to_numpy().astype("datetime64[D]")
        order = np.argsort(when[asked], kind="stable")  # the last written is the latest
        last[row[asked][order]] = when[asked][order]
    return UsageDays(as_of, start, ids, use, before, last)
