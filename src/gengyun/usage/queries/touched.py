"""Whose events came lately."""

from datetime import date

from gengyun.customers.queries.merges import present_ids
from gengyun.lake.parquet import distinct
from gengyun.lake.store import Lake
from gengyun.usage.calc.plan import ANY_USE


def touched_between(lake: Lake, *, after: int, to: int) -> list[int] | None:
    """Customers with events that versions after+1..to of the events table brought.

    None: the log no longer tells (it was tidied, or rows were rewritten).
    """
    changes = lake.changes("events", after=after, to=to)
    if changes.removed or not changes.complete:
        return None
    return present_ids(distinct(changes.added, "customer_id"))


def touched_since(lake: Lake, day: date) -> list[int]:
    """Customers of whom something became known on `day` or later."""
    late = lake.read(
        "daily",
        where=[("measure", "=", ANY_USE.key), ("known_day", ">=", day)],
        columns=["customer_id"],
    )
    return present_ids(sorted(set(late["customer_id"].to_pylist())))
