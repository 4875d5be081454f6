"""The engine that answers questions over the lake: DuckDB behind Ibis.

`Engine` is the whole interface an engine must offer; the expressions given to `run` keep to the
subset of Ibis that gives equal answers on DuckDB, Spark, Sail and ClickHouse (docs/adr/0003).
DuckDB cannot download extensions here: rows are handed over as Arrow, never by ATTACH.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from gengyun.lake.conditions import Condition

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir

MEMORY_LIMIT = os.environ.get("GENGYUN_ENGINE_MEMORY", "1GB")
THREADS = int(os.environ.get("GENGYUN_ENGINE_THREADS", "0"))  # 0: every core


def connect(
    *, memory_limit: str | None = None, threads: int | None = None
) -> "duckdb.DuckDBPyConnection":
    """A DuckDB connection of its own, for SQL inside the lake."""
    import duckdb

    db = duckdb.connect(":memory:")
    db.execute(f"SET memory_limit = '{memory_limit or MEMORY_LIMIT}'")
    db.execute("SET preserve_insertion_order = false")
    db.execute("SET TimeZone = 'UTC'")
    if threads or THREADS:
        db.execute(f"SET threads = {threads or THREADS}")
    return db


def file_list(files: Sequence[str]) -> str:
    """The files as a SQL list literal."""
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in files) + "]"


# ibis' own translation of Arrow types wants a further package
IBIS_TYPES = {
    "int32": "int32",
    "int64": "int64",
    "double": "float64",
    "string": "string",
    "date32[day]": "date",
    "timestamp[us, tz=UTC]": "timestamp('UTC')",
}


def table_of(name: str, schema: pa.Schema) -> "ir.Table":
    """A table by name and columns; the engine that runs the expression must know the name."""
    import ibis

    return ibis.table({field.name: IBIS_TYPES[str(field.type)] for field in schema}, name=name)


_sql: dict[tuple[str, Hashable], str] = {}
MOST_SQL = 64  # questions whose SQL is remembered: the day's, and previews


def translated(build: "Callable[[], ir.Table]", dialect: str, same_as: Hashable) -> str:
    """The SQL of an expression in a dialect. Translating takes longer than many an answer."""
    key = (dialect, same_as)
    if key not in _sql:
        import ibis

        while len(_sql) >= MOST_SQL:
            _sql.pop(next(iter(_sql)), None)
        _sql[key] = ibis.to_sql(build(), dialect=dialect, pretty=False)
    return _sql[key]


class Engine:
    """Tables over files and Arrow rows; expressions in, Arrow out."""

    def __init__(self, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        self.db = connect(memory_limit=memory_limit, threads=threads)

    def table(
        self,
        name: str,
        files: Sequence[str],
        schema: pa.Schema,
        *,
        where: Sequence[Condition] = (),
    ) -> "ir.Table":
        """A table over Parquet files; without files an empty one of `schema`.

        `where`: only these rows (numbers compared with numbers), picked while reading.
        """
        if not files:
            return self.rows(name, schema.empty_table())
        picked = " AND ".join(f"{column} {op} {int(value)}" for column, op, value in where)
        # partition columns are in the folder names only; who needs one filters the files by it
        self.db.execute(
            f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM '
            f"read_parquet({file_list(files)}, hive_partitioning = false) WHERE {picked or 'true'}"
        )
        return table_of(name, schema)

    def rows(self, name: str, arrow: pa.Table) -> "ir.Table":
        """A table of rows that come from elsewhere, such as the relational database."""
        self.db.register(name, arrow)
        return table_of(name, arrow.schema)

    def run(self, build: "Callable[[], ir.Table]", *, same_as: Hashable) -> pa.Table:
        """The rows of an expression; those with an equal `same_as` are translated only once."""
        # Ibis writes the SQL, DuckDB runs it: ibis' own way back to Arrow wants pandas and calls
        # what DuckDB 2 deprecates
        return self.db.sql(translated(build, "duckdb", same_as)).to_arrow_table()

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
