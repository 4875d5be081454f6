"""From events to roll-ups: the SQL that adds up a measure over some event files.

A measure is (kind, events, property, feature):
daily     events and the sum of a property per customer and day
users     the days of a month on which a user was active
features  the days of a month on which a feature was used
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from gengyun.lake import tables
from gengyun.lake.engine import file_list
from gengyun.lake.keys import hash64

if TYPE_CHECKING:
    import duckdb

TABLE_OF = {"daily": "daily", "users": "presence", "features": "presence"}
# calls that are use of the product; identify, group and alias only say who somebody is
USE_KINDS = ("track", "page", "screen")
# A value of 1e12 or more is taken for a mistake and left out (DECIMAL(18, 6)); a day's sum of
# millionths stops at LIMIT: it must fit 64 bits.
LIMIT = 9_000_000_000_000_000_000
AT_ONCE = 16  # measures counted in one reading


@dataclass(frozen=True)
class Measured:
    """What is rolled up; `key` is the partition of its rows."""

    key: str
    kind: str  # daily, users, features
    events: tuple[str, ...] | None = None  # None: all
    property: str | None = None  # daily: whose numbers are summed
    feature: str | None = None  # features: whose values are features; None: the event's name


def roll(
    db: "duckdb.DuckDBPyConnection",
    files: Sequence[str],
    measured: Measured,
    *,
    customer_ids: Sequence[int] | None = None,
) -> pa.Table:
    """The rows that these event files add to the measure, of some customers or of all."""
    schema = tables.SCHEMAS[TABLE_OF[measured.kind]]
    if not files:
        return schema.empty_table()
    source = _source(files)
    condition = f"kind IN {USE_KINDS}"
    if measured.events is not None:
        condition += f" AND {_named(measured)}"
    condition += _of(customer_ids)
    build = {"daily": _daily, "users": _users, "features": _features}[measured.kind]
    return _with_key(build(db, source, condition, measured), measured)


def roll_many(
    db: "duckdb.DuckDBPyConnection",
    files: Sequence[str],
    wanted: Sequence[Measured],
    *,
    customer_ids: Sequence[int] | None = None,
) -> Iterator[tuple[Measured, pa.Table]]:
    """`roll` of several measures. Those that only count events are counted in one reading."""
    counts = [item for item in wanted if item.kind == "daily" and item.property is None]
    if len(counts) < 2 or not files:
        counts = []
    for at in range(0, len(counts), AT_ONCE):
        yield from _counted_together(db, files, counts[at : at + AT_ONCE], customer_ids)
    for item in wanted:
        if item not in counts:
            yield item, roll(db, files, item, customer_ids=customer_ids)


def _counted_together(
    db: "duckdb.DuckDBPyConnection",
    files: Sequence[str],
    wanted: Sequence[Measured],
    customer_ids: Sequence[int] | None,
) -> Iterator[tuple[Measured, pa.Table]]:
    """A customer's day is looked up once, whatever the number of measures: a column for each."""
    numbers = ", ".join(
        f"count(*) FILTER ({_named(item) or 'true'}) AS n{place}"
        for place, item in enumerate(wanted)
    )
    condition = f"kind IN {USE_KINDS}" + _of(customer_ids)
    if all(item.events is not None for item in wanted):
        condition += f" AND ({' OR '.join(_named(item) for item in wanted)})"
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE counted AS SELECT customer_id, day, known_day, {numbers}
            FROM {_source(files)} WHERE {condition} GROUP BY customer_id, day, known_day"""
    )
    try:
        for place, item in enumerate(wanted):
            rows = db.sql(
                f"""SELECT customer_id, day, known_day, n{place} AS n,
                           CAST(0 AS BIGINT) AS total_micro
                    FROM counted WHERE n{place} > 0"""
            ).to_arrow_table()
            yield item, _with_key(rows, item)
    finally:
        db.execute("DROP TABLE IF EXISTS counted")


def _named(measured: Measured) -> str:
    """The condition on an event's name, "" for all events."""
    if measured.events is None:
        return ""
    return f"event IN ({', '.join(_text(name) for name in measured.events)})"


def _with_key(rows: pa.Table, measured: Measured) -> pa.Table:
    schema = tables.SCHEMAS[TABLE_OF[measured.kind]]
    keyed = rows.append_column("measure", pa.repeat(measured.key, len(rows)))
    return keyed.select(schema.names).cast(schema)


def _source(files: Sequence[str]) -> str:
    return f"read_parquet({file_list(files)}, hive_partitioning = false)"


def _of(customer_ids: Sequence[int] | None) -> str:
    if customer_ids is None:
        return ""
    ids = ", ".join(str(int(pk)) for pk in customer_ids) or "NULL"
    return f" AND customer_id IN ({ids})"


def _daily(
    db: "duckdb.DuckDBPyConnection", source: str, condition: str, measured: Measured
) -> pa.Table:
    total = "0"
    if measured.property is not None:
        path = _text(_pointer(measured.property))
        total = f"""coalesce(CAST(sum(CASE
            WHEN TRY(json_type(nullif(properties, ''), {path}))
                 IN ('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')
            THEN TRY_CAST(json_extract_string(properties, {path}) AS DECIMAL(18, 6))
        END) * 1000000 AS HUGEINT), 0)"""
    return db.sql(
        f"""SELECT customer_id, day, known_day, count(*) AS n,
                   CAST(least(greatest({total}, {-LIMIT}), {LIMIT}) AS BIGINT) AS total_micro
            FROM {source} WHERE {condition} GROUP BY customer_id, day, known_day"""
    ).to_arrow_table()


def _users(
    db: "duckdb.DuckDBPyConnection", source: str, condition: str, measured: Measured
) -> pa.Table:
    return _presence(
        db, f"SELECT *, user_key AS key FROM {source} WHERE {condition} AND user_key <> 0"
    )


def _features(
    db: "duckdb.DuckDBPyConnection", source: str, condition: str, measured: Measured
) -> pa.Table:
    name = "event"
    if measured.feature is not None:
        path = _text(_pointer(measured.feature))
        name = f"""CASE WHEN TRY(json_type(nullif(properties, ''), {path}))
            NOT IN ('NULL', 'OBJECT', 'ARRAY') THEN json_extract_string(properties, {path}) END"""
    seen = db.sql(
        f"SELECT DISTINCT {name} AS name FROM {source} WHERE {condition} AND name <> ''"
    ).to_arrow_table()
    names = seen.column("name")
    # the key is ours, not the engine's hash: it must be the same for ever
    keys = pa.array([hash64(text) for text in names.to_pylist()], pa.int64())
    db.register("feature_keys", pa.table({"name": names, "key": keys}))
    try:
        return _presence(
            db,
            f"SELECT e.*, f.key FROM (SELECT *, {name} AS feature FROM {source} WHERE {condition})"
            " e JOIN feature_keys f ON e.feature = f.name",
        )
    finally:
        db.unregister("feature_keys")


def _presence(db: "duckdb.DuckDBPyConnection", selected: str) -> pa.Table:
    return db.sql(
        f"""SELECT customer_id, key, CAST(date_trunc('month', day) AS DATE) AS month,
                   CASE WHEN known_day <= day THEN DATE '1970-01-01'
                        ELSE known_day END AS known_day,
                   CAST(bit_or(1 << (extract(day FROM day) - 1)) AS INTEGER) AS days
            FROM ({selected}) GROUP BY ALL"""
    ).to_arrow_table()


# the same rows again, fewer of them: what compaction writes
UNITE = {
    "daily": """SELECT customer_id, day, known_day, CAST(sum(n) AS BIGINT) AS n,
                       CAST(sum(total_micro) AS BIGINT) AS total_micro
                FROM {source} GROUP BY ALL""",
    "presence": """SELECT customer_id, key, month, known_day,
                          CAST(bit_or(days) AS INTEGER) AS days
                   FROM {source} GROUP BY ALL""",
    "events": "SELECT * FROM {source}",
}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _pointer(name: str) -> str:
    """A JSON pointer: any property name, dots and spaces included, is one step."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
