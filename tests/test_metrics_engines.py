"""The same expression for other engines: it compiles everywhere, with nothing engines disagree on."""

from datetime import date

import pyarrow as pa
import pytest

from gengyun.lake import tables
from gengyun.lake.engine import table_of
from gengyun.lake.rolling import TABLE_OF
from gengyun.usage.calc.definition import parse_definition
from gengyun.usage.calc.plan import plan_for
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
    fields = pa.schema([("customer_id", pa.int64()), ("field_seats", pa.float64())])
    return expression(plan, tables=rollups, customers=table_of("customers", fields))


@pytest.mark.parametrize(
    "dialect", ["duckdb", "databricks", "clickhouse", "trino", "snowflake", "postgres"]
)
def test_a_plan_compiles_for_every_engine(metrics, dialect):
    import ibis

    sql = ibis.to_sql(metrics, dialect=dialect).upper()
    assert sql.count("GROUP BY") >= 7
    assert [word for word in FORBIDDEN if word in sql] == []
