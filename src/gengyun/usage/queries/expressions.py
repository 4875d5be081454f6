"""A plan as one Ibis expression: one row per customer, one column per metric.

Kept to the subset of Ibis that gives equal answers on DuckDB, Spark, Sail and ClickHouse: sum and
max of ifelse, group_by twice, left join with coalesce, date literals, nullif before a division; no
COUNT(DISTINCT), no rounding, no bit aggregate (docs/adr/0003-lake.md).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from gengyun.usage.calc.plan import ANY_USE, Column, Output, Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir


def expression(
    plan: Plan, *, tables: "Mapping[str, ir.Table]", customers: "ir.Table"
) -> "ir.Table":
    """`tables`: roll-up by measure key. `customers`: customer_id and the fields of `plan.fields()`.

    The result has customer_id and one float64 column per output, null for unknown. A customer from
    whom nothing was ever received by then is unknown in everything counted from events.
    """
    import ibis

    joined = customers
    names: dict[Column, str] = {}
    for number, need in enumerate(plan.measures()):
        columns = [column for column in plan.columns() if column.measure == need]
        names.update({c: f"m{number}_{place}" for place, c in enumerate(columns)})
        rows = tables[need.key]
        if need.kind == "daily":
            ever = f"m{number}_ever" if need == ANY_USE else None
            part = _daily(columns, rows, plan.as_of, names, ever=ever)
        else:
            part = _presence(columns, rows, plan.as_of, names)
        part = part.rename({f"m{number}_customer": "customer_id"})
        joined = joined.left_join(part, joined.customer_id == part[f"m{number}_customer"]).drop(
            f"m{number}_customer"
        )
    heard = joined["m0_ever"].notnull()  # the plan's first measure is ANY_USE

    def value(column: Column) -> Any:
        found = joined[names[column]].cast("float64")
        if column.aggregate == "days_since":
            return found
        known = ibis.coalesce(found, ibis.literal(0.0))
        return ibis.ifelse(heard, known, ibis.null("float64"))

    outputs = {output.metric: _result(output, value, joined) for output in plan.outputs}
    return joined.select("customer_id", **outputs)


def _result(output: Output, value: Any, joined: "ir.Table") -> Any:
    above = value(output.column)
    if output.form == "base":
        return above
    if output.field is not None:
        return above / joined[f"field_{output.field}"].cast("float64").nullif(0.0)
    below = value(output.other)
    if output.form == "change":
        return (above - below) / below.nullif(0.0)
    return above / below.nullif(0.0)


def _daily(
    columns: list[Column],
    table: "ir.Table",
    as_of: date,
    names: dict[Column, str],
    *,
    ever: str | None,
) -> "ir.Table":
    """`ever` names a further column: the last day of all, whatever the windows."""
    import ibis

    rows = table.filter(table.day < as_of, table.known_day < as_of)
    starts = [column.start for column in columns]
    if ever is None and None not in starts:
        first = min(start for start in starts if start is not None)
        rows = rows.filter(rows.day >= first)
    if any(column.aggregate == "active_days" for column in columns):
        # a day with late events has two rows: make it one before days are counted
        rows = rows.group_by("customer_id", "day").agg(
            n=rows.n.sum(), total_micro=rows.total_micro.sum()
        )

    def one(column: Column) -> Any:
        if column.aggregate == "days_since":
            return ibis.literal(as_of).delta(rows.day.max(), unit="day")
        inside = rows.day < column.end
        if column.start is not None:
            inside = (rows.day >= column.start) & inside
        if column.aggregate == "active_days":
            return ibis.ifelse(inside, 1, 0).sum()
        if column.aggregate == "count":
            return ibis.ifelse(inside, rows.n, 0).sum()
        return ibis.ifelse(inside, rows.total_micro, 0).sum() / 1_000_000.0

    found = {names[column]: one(column) for column in columns}
    if ever is not None:
        found[ever] = rows.day.max()
    return rows.group_by("customer_id").agg(**found)


def _presence(
    columns: list[Column], table: "ir.Table", as_of: date, names: dict[Column, str]
) -> "ir.Table":
    import ibis

    starts = [column.start for column in columns if column.start is not None]
    rows = table.filter(
        table.known_day < as_of,
        table.month >= min(starts).replace(day=1),
        table.month <= as_of - timedelta(days=1),
    )
    flags = {names[c]: ibis.ifelse(_is_inside(rows, c), 1, 0) for c in columns}
    # one row per user (or feature) first: two months, or late events, are still one user
    each = rows.group_by("customer_id", "key").agg(
        **{name: flag.max() for name, flag in flags.items()}
    )
    return each.group_by("customer_id").agg(**{name: each[name].sum() for name in flags})


def _is_inside(rows: "ir.Table", column: Column) -> Any:
    """Whether a month's day bits reach into [start, end)."""
    assert column.start is not None  # noqa: S101 - users and breadth always have a window
    first, last = column.start.replace(day=1), (column.end - timedelta(days=1)).replace(day=1)
    tests = [(rows.month > first) & (rows.month < last)]
    for month in dict.fromkeys((first, last)):
        mask = month_mask(month, column.start, column.end)
        tests.append((rows.month == month) & ((rows.days & mask) != 0))
    test = tests[0]
    for more in tests[1:]:
        test = test | more
    return test


def month_mask(month: date, start: date, end: date) -> int:
    """The bits of a month's days that lie in [start, end)."""
    bits = 0
    for number in range(31):
        day = month + timedelta(days=number)
        if day.month == month.month and start <= day < end:
            bits |= 1 << number
    return bits
