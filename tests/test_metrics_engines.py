"""The same expression for other engines: it compiles everywhere, with nothing engines disagree on."""

from datetime import date

import pyarrow as pa
import pytest

from gengyun.lake import tables
from gengyun.lake.engine import table_of
from gengyun.lake.rolling import TABLE_OF
from gengyun.usage.calc.definition import parse_definition
from gengyun.usage.calc.plan import plan_for
from gengyun.usage.calc.windows import day_windows, month_windows
from gengyun.usage.queries.expressions import expression

DEFINITIONS = {
    "count": {"aggregate": "count", "window_days": 7},
    "users": {"aggregate": "users", "window_days": 40, "events": ["a"]},
    "days": {"aggregate": "active_days", "window_days": 30},
    "sum": {"aggregate": "sum", "property": "rows", "window_days": 30},
    "breadth": {"aggregate": "breadth", "window_days": 30},
    "since": {"aggregate": "days_since"},
    "change": {"change": "users"},
    "ratio": {"ratio": {"numerator": "users", "denominator": {"field": "seats"}}},
}
# what gave different answers, or none, on some engine (docs/adr/0003-lake.md)
FORBIDDEN = ("DISTINCT", "ROUND(", "BIT_OR", "FIRST(", "LAG(", "PIVOT", "OVER (", "JSON", "0.0")


@pytest.fixture(scope="module")
def metrics():
    plan = plan_for(
        {key: parse_definition(raw) for key, raw in DEFINITIONS.items()}, as_of=date(2026, 3, 1)
    )
    rollups = {
        need.key: table_of(f"measure_{need.key}", tables.SCHEMAS[TABLE_OF[need.kind]])
        for need in plan.measures()
    }
    windows = {
        need.key: table_of(
            f"windows_{need.key}",
            (day_windows(plan.columns_of(need), plan.as_ofs, first=date(2025, 1, 1))
             if need.kind == "daily" else month_windows(plan.columns_of(need), plan.as_ofs)).schema,
        )
        for need in plan.measures()
    }  # fmt: skip
    fields = [(f"field_{name}", pa.float64()) for name in (*plan.fields(), *plan.day_fields())]
    customers = pa.schema(
        [("customer_id", pa.int64()), ("as_of", pa.date32()), ("until", pa.date32()), *fields]
    )
    return expression(
        plan, rollups=rollups, windows=windows, customers=table_of("customers", customers)
    )


@pytest.mark.parametrize(
    "dialect", ["duckdb", "databricks", "clickhouse", "trino", "snowflake", "postgres"]
)
def test_a_plan_compiles_for_every_engine(metrics, dialect):
    import ibis

    sql = ibis.to_sql(metrics, dialect=dialect).upper()
    assert sql.count("GROUP BY") >= 7
    assert [word for word in FORBIDDEN if word in sql] == []
