"""Which days count for which column of which judged day: small tables that an engine joins with.

Joining keeps the question itself free of dates. It is translated to SQL once, whatever the day, and
many days are asked at once: a row of a roll-up meets only the days in whose windows it lies.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from gengyun.usage.calc.plan import Column

DAY = timedelta(days=1)


def day_windows(
    columns: Sequence[Column], as_ofs: Sequence[date], *, first: date, ahead: int = 0
) -> pa.Table:
    """as_of, until, at (a day), ago (days from it to as_of) and a 0/1 per column, for `daily`.

    `first`: the earliest day with rows; columns over all time begin there. `ahead`: see Plan;
    only windows that end with the judged day go on.
    """
    rows: list[tuple[date, date, int]] = []
    flags: list[list[int]] = [[] for _ in columns]
    longest = max((column.first for column in columns if column.first is not None), default=0)
    is_ever = any(column.first is None for column in columns)
    for as_of in as_ofs:
        most = max(longest, (as_of - first).days) if is_ever else longest
        for ago in range(1 - ahead, most + 1):
            bits = [
                int(_after(column, ago) and (column.first is None or ago <= column.first))
                for column in columns
            ]
            if any(bits):
                rows.append((as_of, as_of - ago * DAY, ago))
                for place, bit in enumerate(bits):
                    flags[place].append(bit)
    return _table(rows, flags, ahead)


def _after(column: Column, ago: int) -> bool:
    return ago > column.last or (column.last == 0 and ago <= 0)


def month_windows(columns: Sequence[Column], as_ofs: Sequence[date], *, ahead: int = 0) -> pa.Table:
    """as_of, until, at (first of a month) and the bits of its days per column, for `presence`."""
    rows: list[tuple[date, date, int]] = []
    masks: list[list[int]] = [[] for _ in columns]
    longest = max(column.first or 0 for column in columns)
    for as_of in as_ofs:
        month = (as_of - longest * DAY).replace(day=1)
        while month < as_of + ahead * DAY:
            rows.append((as_of, month, 0))
            for place, column in enumerate(columns):
                start = as_of - (column.first or 0) * DAY
                end = as_of + (ahead if column.last == 0 else -column.last) * DAY
                masks[place].append(month_mask(month, start, end))
            month = (month + 31 * DAY).replace(day=1)
    return _table(rows, masks, ahead)


def _table(rows: list[tuple[date, date, int]], columns: list[list[int]], ahead: int) -> pa.Table:
    fixed = {
        "as_of": pa.array([row[0] for row in rows], pa.date32()),
        "until": pa.array([row[0] + ahead * DAY for row in rows], pa.date32()),
        "at": pa.array([row[1] for row in rows], pa.date32()),
        "ago": pa.array([row[2] for row in rows], pa.int32()),
    }
    more = {f"w{place}": pa.array(values, pa.int32()) for place, values in enumerate(columns)}
    return pa.table(fixed | more)


def month_mask(month: date, start: date, end: date) -> int:
    """The bits of a month's days that lie in [start, end); the 1st is bit 0."""
    bits = 0
    for number in range(31):
        day = month + timedelta(days=number)
        if day.month == month.month and start <= day < end:
            bits |= 1 << number
    return bits
