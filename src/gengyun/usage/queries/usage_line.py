"""What one customer did, read live from the lake: the line per day, the latest events, features."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from gengyun.customers.queries.merges import ids_of
from gengyun.lake.rolling import USE_KINDS
from gengyun.lake.store import Lake

if TYPE_CHECKING:
    from gengyun.lake.store import Condition

FILES_AT_ONCE = 4


@dataclass(frozen=True)
class RecentEvent:
    happened_at: datetime
    received_at: datetime
    kind: str
    event: str
    user_id: str
    properties: dict[str, Any]
    source_id: int


@dataclass(frozen=True)
class FeatureUse:
    event: str
    events: int
    users: int
    last_on: date


def daily_line(
    customer_id: int,
    *,
    start: date,
    end: date,
    measure: Literal["active_users", "events"] = "active_users",
    lake: Lake | None = None,
) -> list[tuple[date, int]]:
    """(day, number) for every day of [start, end), from the roll-ups; 0 for a day without use."""
    lake = lake or Lake.default()
    found = (_users if measure == "active_users" else _events)(lake, customer_id, start, end)
    days = (start + timedelta(days=number) for number in range((end - start).days))
    return [(day, found.get(day, 0)) for day in days]


def _events(lake: Lake, customer_id: int, start: date, end: date) -> dict[date, int]:
    rows = lake.read(
        "daily",
        where=[
            ("measure", "=", "daily-all"),
            ("customer_id", "in", ids_of(customer_id)),
            ("day", ">=", start),
            ("day", "<", end),
        ],
        columns=["day", "n"],
    )
    found: dict[date, int] = defaultdict(int)
    for day, count in zip(rows["day"].to_pylist(), rows["n"].to_pylist(), strict=True):
        found[day] += count
    return found


def _users(lake: Lake, customer_id: int, start: date, end: date) -> dict[date, int]:
    rows = lake.read(
        "presence",
        where=[
            ("measure", "=", "users-all"),
            ("customer_id", "in", ids_of(customer_id)),
            ("month", ">=", start.replace(day=1)),
            ("month", "<", end),
        ],
        columns=["key", "month", "days"],
    )
    # a user-month may be in several rows: unite the bits before anybody is counted
    bits: dict[tuple[date, int], int] = defaultdict(int)
    for key, month, days in zip(
        *(rows[name].to_pylist() for name in rows.column_names), strict=True
    ):
        bits[month, key] |= days
    found: dict[date, int] = defaultdict(int)
    for (month, _), days in bits.items():
        for number in range(31):
            if days >> number & 1:
                found[month + timedelta(days=number)] += 1
    return found


def recent_events(
    customer_id: int, limit: int = 50, *, before: datetime | None = None, lake: Lake | None = None
) -> list[RecentEvent]:
    """The latest events by when they happened, newest first; `before` pages on.

    Files are taken in the order of their newest day and only until no other can hold a later one.
    """
    lake = lake or Lake.default()
    where: list[Condition] = [("customer_id", "in", ids_of(customer_id))]
    if before is not None:
        where.append(("happened_at", "<", before))
    files = sorted(lake.file_rows("events", where), key=lambda row: row["max.day"], reverse=True)
    rows: list[dict[str, Any]] = []
    while files:
        batch, files = files[:FILES_AT_ONCE], files[FILES_AT_ONCE:]
        table = lake.read_files("events", [row["path"] for row in batch], where=where)
        rows.extend(table.to_pylist())
        rows = sorted(rows, key=lambda row: (row["happened_at"], row["message_key"]), reverse=True)
        rows = rows[:limit]
        if len(rows) == limit and files and rows[-1]["day"] > files[0]["max.day"]:
            break
    return [_recent(row) for row in rows]


def _recent(row: dict[str, Any]) -> RecentEvent:
    text = row["properties"]
    properties = json.loads(text) if text else {}
    return RecentEvent(
        happened_at=row["happened_at"],
        received_at=row["received_at"],
        kind=row["kind"],
        event=row["event"],
        user_id=row["user_id"],
        properties=properties if isinstance(properties, dict) else {},
        source_id=row["source_id"],
    )


def feature_breakdown(
    customer_id: int, start: date, end: date, *, lake: Lake | None = None
) -> list[FeatureUse]:
    """Events by name in [start, end), most used first."""
    lake = lake or Lake.default()
    rows = lake.read(
        "events",
        where=[
            ("customer_id", "in", ids_of(customer_id)),
            ("day", ">=", start),
            ("day", "<", end),
            ("kind", "in", USE_KINDS),
        ],
        columns=["event", "user_key", "day"],
    )
    counts: dict[str, int] = defaultdict(int)
    users: dict[str, set[int]] = defaultdict(set)
    last: dict[str, date] = {}
    for event, user, day in zip(
        *(rows[name].to_pylist() for name in rows.column_names), strict=True
    ):
        counts[event] += 1
        if user:
            users[event].add(user)
        last[event] = max(day, last.get(event, day))
    found = [
        FeatureUse(name, count, len(users[name]), last[name]) for name, count in counts.items()
    ]
    return sorted(found, key=lambda use: (-use.events, use.event))


def data_until(lake: Lake | None = None) -> datetime | None:
    """When the newest event was received (to the millisecond); None before the first one."""
    rows = (lake or Lake.default()).file_rows("events")
    return max((row["max.received_at"] for row in rows), default=None)
