"""Asking an engine for a plan's values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from gengyun.customers.queries.as_of import field_values
from gengyun.lake import tables
from gengyun.lake.rolling import TABLE_OF
from gengyun.usage.calc.plan import Plan
from gengyun.usage.queries.expressions import expression

if TYPE_CHECKING:
    from gengyun.lake.engine import Engine
    from gengyun.lake.store import Condition, Lake


def customer_rows(customer_ids: Sequence[int], plan: Plan) -> pa.Table:
    """The customers with the fields that the plan divides by, as known on its day."""
    columns = {"customer_id": pa.array(customer_ids, pa.int64())}
    fields = plan.fields()
    known = (
        field_values(fields=fields, as_of=plan.as_of, customer_ids=customer_ids) if fields else {}
    )
    for field in fields:
        values = known[field]
        columns[f"field_{field}"] = pa.array(
            [values.get(pk) for pk in customer_ids], pa.float64(), from_pandas=False
        )
    return pa.table(columns)


def run_plan(
    engine: "Engine",
    lake: "Lake",
    plan: Plan,
    customers: pa.Table,
    *,
    instead: dict[str, pa.Table] | None = None,
) -> pa.Table:
    """customer_id and one float64 column per output. `instead`: rows in place of roll-ups."""
    if not customers.num_rows:
        names = [output.metric for output in plan.outputs]
        kinds = [("customer_id", pa.int64()), *((name, pa.float64()) for name in names)]
        return pa.schema(kinds).empty_table()
    sources = {}
    for need in plan.measures():
        if instead and need.key in instead:
            sources[need.key] = engine.rows(f"measure_{need.key}", instead[need.key])
            continue
        table = TABLE_OF[need.kind]
        files = lake.files(table, where=_where(need.key, table, plan, need))
        sources[need.key] = engine.table(f"measure_{need.key}", files, tables.SCHEMAS[table])
    return engine.run(
        expression(plan, tables=sources, customers=engine.rows("customers", customers))
    )


def _where(key: str, table: str, plan: Plan, need) -> "list[Condition]":
    where: list[Condition] = [("measure", "=", key), ("known_day", "<", plan.as_of)]
    day = "day" if table == "daily" else "month"
    where.append((day, "<", plan.as_of))
    return where
