"""Asking an engine for a plan's values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from gengyun.customers.queries.as_of import field_values_on
from gengyun.customers.queries.merges import same_pairs
from gengyun.kernel.days import start_of
from gengyun.lake import tables
from gengyun.lake.rolling import TABLE_OF
from gengyun.usage.calc.plan import MeasureNeed, Plan
from gengyun.usage.calc.windows import day_windows, month_windows
from gengyun.usage.queries.expressions import expression
from gengyun.usage.queries.joined_rows import columns_of, first_day, joined_rows

if TYPE_CHECKING:
    from gengyun.lake.engines import Answering
    from gengyun.lake.store import Condition, Lake


def customer_rows(
    customer_ids: Sequence[int], plan: Plan, *, known_at: Mapping[int, datetime] | None = None
) -> pa.Table:
    """customer_id and as_of with the fields that the plan reads, as known on each of its days.

    With `known_at` a customer has rows only for the days before which it was known.
    """
    numbers, days = plan.fields(), plan.day_fields()
    names = list(dict.fromkeys([*numbers, *days]))
    parts = []
    values = field_values_on(fields=names, as_ofs=plan.as_ofs, customer_ids=customer_ids)
    for as_of, known in values:
        start = start_of(as_of)
        ids = [pk for pk in customer_ids if known_at is None or known_at[pk] < start]
        columns = {
            "customer_id": pa.array(ids, pa.int64()),
            "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(ids)),
        }
        for name in names:
            found = [known[name].get(pk) for pk in ids]
            if name in days:
                found = [None if day is None else (as_of - day).days for day in found]
            columns[f"field_{name}"] = pa.array(found, pa.float64(), from_pandas=False)
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def run_plan(
    engine: "Answering",
    lake: "Lake",
    plan: Plan,
    customers: pa.Table,
    *,
    instead: dict[str, pa.Table] | None = None,
    are_few: bool = False,
) -> pa.Table:
    """customer_id, as_of, one float64 column per output. `instead`: rows in place of roll-ups.

    `are_few`: the roll-ups of these customers are picked out first, not read as a whole.
    """
    if not customers.num_rows:
        names = [output.metric for output in plan.outputs]
        kinds = [("customer_id", pa.int64()), ("as_of", pa.date32())]
        return pa.schema([*kinds, *((name, pa.float64()) for name in names)]).empty_table()
    groups = same_pairs(plan.as_ofs)
    if len(groups) > 1:  # a merge was taken back: some days count it, others do not
        parts = [_only(plan, customers, days) for days, _ in groups]
        options = {"instead": instead, "are_few": are_few}
        return pa.concat_tables([run_plan(engine, lake, *part, **options) for part in parts])
    pairs = groups[0][1]
    ends = pc.min_max(customers["customer_id"]).as_py()
    span = [("customer_id", ">=", ends["min"]), ("customer_id", "<=", ends["max"])]
    rollups, windows, joined = {}, {}, []
    for need in plan.measures():
        table, name = TABLE_OF[need.kind], f"measure_{need.key}"
        if instead and need.key in instead:
            rows = instead[need.key]
            rollups[need.key] = engine.rows(name, rows)
            first = pc.min(rows["day"]).as_py() if table == "daily" else None
        else:
            where = [*_where(table, need, plan), *span]
            if are_few:
                where.append(("customer_id", "in", customers["customer_id"].to_pylist()))
            files = lake.file_rows(table, where)
            paths = [str(lake.path / table / row["path"]) for row in files]
            if are_few:
                picked = lake.read_files(table, [row["path"] for row in files], where=where)
                rollups[need.key] = engine.rows(name, picked)
            else:
                rollups[need.key] = engine.table(name, paths, tables.SCHEMAS[table], where=span)
            first = min((row.get("min.day") or plan.newest for row in files), default=None)
        if pairs:
            rows = instead[need.key] if instead and need.key in instead else None
            more = joined_rows(lake, table, _where(table, need, plan), pairs, instead=rows)
            if more.num_rows:
                base = rollups[need.key].select(columns_of(table))
                rollups[need.key] = base.union(engine.rows(f"{name}_joined", more))
                first = min(filter(None, (first, first_day(more))), default=None)
                joined.append(need.key)
        columns = plan.columns_of(need)
        if columns:
            windows[need.key] = engine.rows(
                f"windows_{need.key}", _windows(need, plan, first or plan.newest)
            )
    asked = engine.rows("customers", customers.append_column("until", _ends(customers, plan)))
    return engine.run(
        lambda: expression(plan, rollups=rollups, windows=windows, customers=asked),
        same_as=(plan.outputs, *joined) if joined else plan.outputs,
    )


def _only(plan: Plan, customers: pa.Table, days: Sequence[date]) -> tuple[Plan, pa.Table]:
    """The same question for some of its days."""
    mine = pc.is_in(customers["as_of"], pa.array(days, pa.date32()))
    return replace(plan, as_ofs=tuple(days)), customers.filter(mine)


def _ends(customers: pa.Table, plan: Plan) -> pa.ChunkedArray | pa.Array:
    if not plan.ahead:
        return customers["as_of"]
    return pa.array([plan.until(day) for day in customers["as_of"].to_pylist()], pa.date32())


def _windows(need: MeasureNeed, plan: Plan, first: date) -> pa.Table:
    columns = plan.columns_of(need)
    if need.kind == "daily":
        return day_windows(columns, plan.as_ofs, first=first, ahead=plan.ahead)
    return month_windows(columns, plan.as_ofs, ahead=plan.ahead)


def _where(table: str, need: MeasureNeed, plan: Plan) -> "list[Condition]":
    day = "day" if table == "daily" else "month"
    end = plan.until(plan.newest)
    return [("measure", "=", need.key), ("known_day", "<", end), (day, "<", end)]
