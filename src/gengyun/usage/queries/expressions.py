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

EVER = "last_day_of_any_use"


def expression(
    plan: Plan, *, tables: "Mapping[str, ir.Table]", customers: "ir.Table"
) -> "ir.Table":
    """`tables`: roll-up by measure key. `customers`: customer_id and the fields of `plan.fields()`.

    The result has customer_id and one float64 column per output, null for unknown. A customer from
    whom nothing was ever received by then is unknown in everything counted from events.
    """
    import ibis

    joined = customers
    names = {column: f"c{number}" for number, column in enumerate(plan.columns())}
    parts = []
    for need in plan.measures():
        rows = tables[need.key]
        columns = [column for column in names if column.measure == need]
        if need.kind != "daily":
            parts.append(_presence(columns, rows, plan.as_of, names))
            continue
        days = [column for column in columns if column.aggregate == "active_days"]
        sums = [column for column in columns if column.aggregate != "active_days"]
        if sums or need == ANY_USE:
            parts.append(_sums(sums, rows, plan.as_of, names, ever=need == ANY_USE))
        if days:
            parts.append(_active_days(days, rows, plan.as_of, names))
    for number, part in enumerate(parts):
        key = f"customer_{number}"
        renamed = part.rename({key: "customer_id"})
        joined = joined.left_join(renamed, joined.customer_id == renamed[key]).drop(key)
    heard = joined[EVER].notnull()

    def value(column: Column) -> Any:
        found = joined[names[column]]
        if column.aggregate == "days_since":
            return found.cast("float64")
        known = ibis.coalesce(found, 0).cast("float64")
        return ibis.ifelse(heard, known, ibis.null("float64"))

    outputs = {output.metric: _result(output, value, joined) for output in plan.outputs}
    return joined.select("customer_id", **outputs)


def _result(output: Output, value: Any, joined: "ir.Table") -> Any:
    above = value(output.column)
    if output.form == "base":
        return above
    if output.field is not None:
        return above / _not_zero(joined[f"field_{output.field}"].cast("float64"))
    below = value(output.other)
    if output.form == "change":
        return (above - below) / _not_zero(below)
    return above / _not_zero(below)


def _float(number: int) -> Any:
    """Spark reads 0.0 as a decimal and calculates on in decimals; a cast is a float everywhere."""
    import ibis

    return ibis.literal(number).cast("float64")


def _not_zero(value: Any) -> Any:
    return value.nullif(_float(0))


def _sums(
    columns: list[Column],
    table: "ir.Table",
    as_of: date,
    names: dict[Column, str],
    *,
    ever: bool,
) -> "ir.Table":
    """Counts, sums and the last day; `ever` adds the last day of all, whatever the windows."""
    import ibis

    rows = table.filter(table.day < as_of, table.known_day < as_of)
    starts = [column.start for column in columns]
    if not ever and None not in starts:
        rows = rows.filter(rows.day >= min(start for start in starts if start is not None))

    def one(column: Column) -> Any:
        if column.aggregate == "days_since":
            return ibis.literal(as_of).delta(rows.day.max(), unit="day")
        inside = _is_in_window(rows, column)
        if column.aggregate == "count":
            return ibis.ifelse(inside, rows.n, 0).sum()
        return ibis.ifelse(inside, rows.total_micro, 0).sum().cast("float64") / _float(1_000_000)

    found = {names[column]: one(column) for column in columns}
    if ever:
        found[EVER] = rows.day.max()
    return rows.group_by("customer_id").agg(**found)


def _active_days(
    columns: list[Column], table: "ir.Table", as_of: date, names: dict[Column, str]
) -> "ir.Table":
    import ibis

    first = min(column.start for column in columns if column.start is not None)
    rows = table.filter(table.day >= first, table.day < as_of, table.known_day < as_of)
    # a day with late events has several rows: make it one before days are counted
    days = rows.group_by("customer_id", "day").agg(n=rows.n.max())
    return days.group_by("customer_id").agg(
        **{names[c]: ibis.ifelse(_is_in_window(days, c), 1, 0).sum() for c in columns}
    )


def _is_in_window(rows: "ir.Table", column: Column) -> Any:
    inside = rows.day < column.end
    return inside if column.start is None else (rows.day >= column.start) & inside


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
