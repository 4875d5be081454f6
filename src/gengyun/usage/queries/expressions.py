"""A plan as one Ibis expression: one row per customer and judged day, one column per metric.

Kept to the subset of Ibis that gives equal answers on DuckDB, Spark, Sail and ClickHouse: sum, min
and max, ifelse, group_by twice, equal joins, coalesce, nullif before a division; no
COUNT(DISTINCT), no rounding, no bit aggregate, no date arithmetic (docs/adr/0003-lake.md).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gengyun.usage.calc.plan import (
    ANY_USE,
    TENURE,
    Column,
    Counted,
    FieldDays,
    FieldNumber,
    Growth,
    MeasureNeed,
    Plan,
    Quotient,
    Sum,
    Value,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir


def expression(
    plan: Plan,
    *,
    rollups: "Mapping[str, ir.Table]",
    windows: "Mapping[str, ir.Table]",
    customers: "ir.Table",
) -> "ir.Table":
    """`rollups` and `windows` (usage.calc.windows) by measure key; `customers`: customer_id, as_of,
    until, field_* of `plan.fields()` and `plan.day_fields()`, those as days up to as_of.

    The result has customer_id, as_of and one float64 column per output, null for unknown. A
    customer from whom nothing was ever received by then is unknown in everything counted from
    events. It depends on `plan.outputs` only, not on the days.
    """
    joined = customers.left_join(_first_heard(rollups[ANY_USE.key]), "customer_id")
    names: dict[Column, str] = {}
    for number, need in enumerate(plan.measures()):
        columns = plan.columns_of(need)
        if not columns:
            continue
        mine = {column: f"c{number}_{place}" for place, column in enumerate(columns)}
        names |= mine
        for at, part in enumerate(_parts(need, mine, rollups[need.key], windows[need.key])):
            keys = {f"customer_{number}_{at}": "customer_id", f"as_of_{number}_{at}": "as_of"}
            one = part.rename(keys)
            customer, day = keys
            joined = joined.left_join(
                one, [joined.customer_id == one[customer], joined.as_of == one[day]]
            ).drop(customer, day)
    values = _Values(joined, names)
    outputs = {output.metric: values.of(output.value) for output in plan.outputs}
    return joined.select("customer_id", "as_of", **outputs)


def _first_heard(rows: "ir.Table") -> "ir.Table":
    """The day on which something of a customer was first known: from the next day on it counts."""
    import ibis

    known = ibis.ifelse(rows.known_day > rows.day, rows.known_day, rows.day)
    return rows.group_by("customer_id").agg(first_heard=known.min())


def _parts(
    need: MeasureNeed, names: Mapping[Column, str], rows: "ir.Table", windows: "ir.Table"
) -> "list[ir.Table]":
    """The columns of one measure, by customer_id and as_of."""
    flags = {column: f"w{place}" for place, column in enumerate(names)}
    # without the partition's column, which is in no file
    rows = rows.select(*(name for name in rows.columns if name != "measure"))
    at = rows.day if need.kind == "daily" else rows.month
    met = rows.inner_join(windows, at == windows["at"])
    met = met.filter(met.known_day < met.until)
    if need.kind != "daily":
        return [_presence(met, names, flags)]
    days = [column for column in names if column.aggregate == "active_days"]
    others = [column for column in names if column.aggregate != "active_days"]
    found = [_sums(met, others, names, flags)] if others else []
    return [*found, _active_days(met, days, names, flags)] if days else found


def _sums(
    met: "ir.Table", columns: list[Column], names: Mapping[Column, str], flags: Mapping[Column, str]
) -> "ir.Table":
    def one(column: Column) -> Any:
        if column.aggregate == "days_since":
            return met.ago.min()
        inside = met[flags[column]]
        if column.aggregate == "count":
            return (met.n * inside).sum()
        return (met.total_micro * inside).sum().cast("float64") / _float(1_000_000)

    return met.group_by("customer_id", "as_of").agg(**{names[c]: one(c) for c in columns})


def _active_days(
    met: "ir.Table", columns: list[Column], names: Mapping[Column, str], flags: Mapping[Column, str]
) -> "ir.Table":
    # a day with late events has several rows: make it one before days are counted
    days = met.group_by("customer_id", "as_of", "day").agg(
        **{names[c]: met[flags[c]].max() for c in columns}
    )
    return days.group_by("customer_id", "as_of").agg(
        **{names[c]: days[names[c]].sum() for c in columns}
    )


def _presence(
    met: "ir.Table", names: Mapping[Column, str], flags: Mapping[Column, str]
) -> "ir.Table":
    import ibis

    bits = {names[c]: ibis.ifelse((met.days & met[flag]) != 0, 1, 0) for c, flag in flags.items()}
    # one row per user (or feature) first: two months, or late events, are still one user
    each = met.group_by("customer_id", "as_of", "key").agg(
        **{name: bit.max() for name, bit in bits.items()}
    )
    return each.group_by("customer_id", "as_of").agg(**{name: each[name].sum() for name in bits})


class _Values:
    """Values from the joined columns."""

    def __init__(self, joined: "ir.Table", names: Mapping[Column, str]) -> None:
        self.joined = joined
        self.names = names
        self.heard = joined.first_heard < joined.until  # null, and so not true, where never

    def of(self, value: Value) -> Any:
        import ibis

        match value:
            case Counted():
                return self.counted(value)
            case FieldNumber(field):
                return self.joined[f"field_{field}"]
            case FieldDays(field, since):
                return self.days(field, since=since)
            case Sum(parts):
                found = [self.of(part) for part in parts]
                total = sum((ibis.coalesce(part, _float(0)) for part in found[1:]),
                            ibis.coalesce(found[0], _float(0)))  # fmt: skip
                return ibis.ifelse(ibis.coalesce(*found).notnull(), total, ibis.null("float64"))
            case Quotient(above, below, unknown_is_zero):
                top = self.of(above)
                if unknown_is_zero:
                    top = ibis.coalesce(top, _float(0))
                return top / _not_zero(self.of(below))
            case Growth(now, before):
                old = self.of(before)
                return (self.of(now) - old) / _not_zero(old)

    def counted(self, value: Counted) -> Any:
        import ibis

        found = self.joined[self.names[value.column]].cast("float64")
        if value.column.aggregate == "days_since":
            return found - _float(value.minus) if value.minus else found
        unknown = ibis.null("float64")
        if value.none_is_unknown:
            found = _not_zero(found)
        else:
            found = ibis.ifelse(self.heard, ibis.coalesce(found, _float(0)), unknown)
        if value.per_days is None:
            return found
        window = (value.column.first or 0) - value.column.last
        if value.fewest_days is None:
            return found * _float(value.per_days) / _float(window)
        tenure = self.days(TENURE.field, since=True) - _float(value.column.last)
        days = ibis.ifelse(tenure < _float(window), tenure, _float(window))
        average = found * _float(value.per_days) / _not_zero(days)
        return ibis.ifelse(tenure >= _float(value.fewest_days), average, unknown)

    def days(self, field: str, *, since: bool) -> Any:
        import ibis

        days = self.joined[f"field_{field}"]
        if not since:
            return _float(0) - days
        return ibis.ifelse(days >= _float(0), days, ibis.null("float64"))


def _float(number: int) -> Any:
    """Spark reads 0.0 as a decimal and calculates on in decimals; a cast is a float everywhere."""
    import ibis

    return ibis.literal(number).cast("float64")


def _not_zero(value: Any) -> Any:
    return value.nullif(_float(0))
