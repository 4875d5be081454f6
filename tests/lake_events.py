"""Events for the lake, row by row, with boring defaults."""

import itertools
import json
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa

from gengyun.kernel.days import day_of
from gengyun.lake import tables
from gengyun.lake.keys import hash64, message_key

_number = itertools.count(1)


def event(
    customer_id=1,
    *,
    on=date(2026, 1, 10),
    known=None,
    user="u1",
    name="report.opened",
    kind="track",
    hour=4,
    properties=None,
    message=None,
    received=None,
):
    """One event; `on` the day it happened, `known` the day we learnt of it (default: the same)."""
    happened = datetime.combine(on, time(hour), UTC)
    known_at = happened if known is None else datetime.combine(known, time(hour), UTC)
    received_at = received or known_at
    return {
        "received_day": day_of(received_at),
        "customer_id": customer_id,
        "user_key": hash64(user) if user else 0,
        "user_id": user or "",
        "kind": kind,
        "event": name,
        "day": day_of(happened),
        "known_day": day_of(known_at),
        "happened_at": happened,
        "known_at": known_at,
        "received_at": received_at,
        "source_id": 1,
        "message_key": message_key(1, message or f"m{next(_number)}"),
        "properties": "" if properties is None else json.dumps(properties),
    }


def arrow(rows):
    return pa.Table.from_pylist(list(rows), schema=tables.EVENTS)


def days(first, count):
    return [first + timedelta(days=number) for number in range(count)]
