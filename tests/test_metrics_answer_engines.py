"""One definition, one answer: other engines give the values that DuckDB gives, one by one."""

import importlib.util
import os
import random
from datetime import date, timedelta

import pyarrow as pa
import pytest
from factories import NOW
from lake_events import arrow, event

from gengyun.lake.engine import Engine
from gengyun.lake.engines import EngineMissing, EngineUnknown, open_engine
from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.calc.definition import parse_definition, parts_of
from gengyun.usage.calc.plan import measures_for, plan_for
from gengyun.usage.queries.running import run_plan

DEFINITIONS = {
    "events": {"aggregate": "count", "window_days": 7},
    "events_a": {"aggregate": "count", "window_days": 28, "events": ["a"], "if_none": "unknown"},
    "events_b": {"aggregate": "count", "window_days": 28, "events": ["b'c"], "if_none": "unknown"},
    "users": {"aggregate": "users", "window_days": 40},
    "users_a": {"aggregate": "users", "window_days": 7, "events": ["a"]},
    "days": {"aggregate": "active_days", "window_days": 30},
    "sum": {"aggregate": "sum", "property": "rows", "window_days": 30},
    "breadth": {"aggregate": "breadth", "window_days": 30},
    "modules": {"aggregate": "breadth", "feature": "module", "window_days": 60},
    "since": {"aggregate": "days_since"},
    "without_a": {"aggregate": "days_without", "events": ["a"]},
    "average": {"aggregate": "count", "window_days": 84, "per_days": 28, "fewest_days": 14},
    "tenure": {"days": {"since": "started_on"}},
    "renewal": {"days": {"until": "renews_on"}},
    "both": {"total": ["events_a", "events_b"]},
    "share": {"ratio": {"numerator": "events_a", "denominator": {"metric": "both"}, "unknown_is_zero": True}},
    "change": {"change": "users"},
    "change_84": {"change": {"metric": "both", "days": 28}},
    "seat_use": {"ratio": {"numerator": "users", "denominator": {"field": "seats"}}},
}  # fmt: skip
CUSTOMERS = range(1, 41)
AS_OFS = [date(2026, 3, 1), date(2026, 3, 30), date(2026, 4, 15)]


@pytest.fixture
def lake(tmp_path, db):
    chance = random.Random(5)
    made = []
    for _ in range(3_000):
        on = date(2026, 1, 1) + timedelta(days=chance.randrange(110))
        late = chance.choice([0, 0, 0, 0, 1, 9])
        properties = chance.choice(
            [None, {"rows": chance.randrange(1000) / 8, "module": chance.choice("xyz")}]
        )
        made.append(
            event(
                chance.randrange(1, 36),
                on=on,
                known=on + timedelta(days=late),
                user=chance.choice(["u1", "u2", "u3", "u4", None]),
                name=chance.choice(["a", "b'c", "d"]) if chance.random() < 0.9 else "e",
                properties=properties,
            )
        )
    lake = Lake(tmp_path / "lake")
    half = len(made) // 2
    needs = measures_for(definitions())
    for part in (made[:half], made[half:]):
        lake.append("events", arrow(part))
        roll_up(lake=lake, now=NOW, needs=needs)
    return lake


def definitions():
    return {key: parse_definition(raw) for key, raw in DEFINITIONS.items()}


def asked(plan):
    tables = []
    for as_of in plan.as_ofs:
        fields = {
            f"field_{name}": pa.array(
                [None if pk % 7 == 0 else float((pk * 5) % 60 - 3) for pk in CUSTOMERS],
                pa.float64(),
            )
            for name in (*plan.fields(), *plan.day_fields())
        }
        day = pa.repeat(pa.scalar(as_of, pa.date32()), len(CUSTOMERS))
        tables.append(pa.table({"customer_id": list(CUSTOMERS), "as_of": day, **fields}))
    return pa.concat_tables(tables)


def answers(engine, lake):
    parsed = definitions()
    plan = plan_for(parsed, as_of=AS_OFS, parts=parts_of(parsed))
    with engine:
        rows = run_plan(engine, lake, plan, asked(plan)).to_pylist()
    return {(row["as_of"], row["customer_id"]): row for row in rows}


def same(ours, theirs):
    if ours is None or theirs is None:
        return ours is theirs
    return ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def check(name, lake):
    here, there = answers(Engine(), lake), answers(open_engine(name), lake)
    assert here.keys() == there.keys()
    wrong = [
        (key, metric, row[metric], there[key][metric])
        for key, row in here.items()
        for metric in DEFINITIONS
        if not same(row[metric], there[key][metric])
    ]
    assert wrong == []
    known = [row[metric] for row in here.values() for metric in DEFINITIONS]
    assert len(known) == len(CUSTOMERS) * len(AS_OFS) * len(DEFINITIONS)
    assert 0.5 < sum(value is not None for value in known) / len(known) < 1


def needs_module(name, extra):
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed: uv sync --extra {extra}")


@needs_module("pysail", "sail")
def test_sail_gives_equal_values(lake):
    check("sail", lake)


@needs_module("chdb", "chdb")
def test_clickhouse_gives_equal_values(lake):
    check("chdb", lake)


@pytest.mark.skipif(
    not os.environ.get("GENGYUN_TEST_SPARK"),
    reason="GENGYUN_TEST_SPARK names no Spark Connect endpoint (sc://host:15002)",
)
def test_spark_gives_equal_values(lake):
    check(os.environ["GENGYUN_TEST_SPARK"], lake)


def test_an_engine_nobody_knows_is_refused(monkeypatch):
    with pytest.raises(EngineUnknown, match="oracle"):
        open_engine("oracle")
    monkeypatch.setenv("GENGYUN_LAKE_ENGINE", "oracle")
    with pytest.raises(EngineUnknown):
        open_engine()


@pytest.mark.parametrize(
    "name, module", [("chdb", "chdb"), ("sail", "pyspark"), ("sc://x:1", "pyspark")]
)
def test_an_engine_that_is_not_installed_says_how(monkeypatch, name, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    monkeypatch.setitem(__import__("sys").modules, f"{module}.sql", None)
    with pytest.raises(EngineMissing, match="uv sync --extra"):
        open_engine(name)
