"""Which engine answers: DuckDB here, or the one that GENGYUN_LAKE_ENGINE names.

duckdb        in this process (default)
sail          Sail in this process: Spark's language without Java (extra "sail")
sc://host:15002   any Spark Connect endpoint: Spark, Databricks, Sail (extra "sail" or "spark")
chdb          ClickHouse in this process (extra "chdb"); one process only

All of them are asked the same Ibis expressions and give the same values (tests hold them to it).
Roll-ups are still added up by DuckDB, where the events come in.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import pyarrow as pa

from gengyun.kernel.errors import Refusal
from gengyun.lake.conditions import Condition
from gengyun.lake.engine import Engine, table_of, translated

if TYPE_CHECKING:
    import ibis.expr.types as ir


class EngineUnknown(Refusal):
    code = "lake_engine_unknown"
    message = (
        "GENGYUN_LAKE_ENGINE is %(name)s; it can be duckdb, sail, chdb or sc://host:port "
        "(a Spark Connect endpoint)."
    )


class EngineMissing(Refusal):
    code = "lake_engine_missing"
    message = (
        "GENGYUN_LAKE_ENGINE is %(name)s, but %(module)s is not installed: "
        "uv sync --extra %(extra)s"
    )


class Answering(Protocol):
    """What an engine must offer: tables over files and Arrow rows; expressions in, Arrow out."""

    def table(
        self,
        name: str,
        files: Sequence[str],
        schema: pa.Schema,
        *,
        where: Sequence[Condition] = (),
    ) -> "ir.Table": ...

    def rows(self, name: str, arrow: pa.Table) -> "ir.Table": ...

    def run(self, build: "Callable[[], ir.Table]", *, same_as: Hashable) -> pa.Table: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_engine(name: str | None = None) -> Answering:
    """The engine of this deployment, or a named one. Refuses what is unknown or not installed."""
    name = name or os.environ.get("GENGYUN_LAKE_ENGINE", "") or "duckdb"
    if name == "duckdb":
        return Engine()
    if name == "sail" or name.startswith("sc://"):
        return SparkEngine(name)
    if name == "chdb":
        return ChdbEngine()
    raise EngineUnknown(name=name)


class SparkEngine:
    """Any Spark Connect endpoint; "sail" starts one in this process, once."""

    def __init__(self, name: str) -> None:
        try:
            import pyspark
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise EngineMissing(name=name, module="pyspark", extra="sail") from error
        # its test helpers, imported on the way, look for an installation around the main program
        # and end the process where there is none
        os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
        address = _sail() if name == "sail" else name
        self.spark = SparkSession.builder.remote(address).getOrCreate()
        self.spark.conf.set("spark.sql.session.timeZone", "UTC")

    def table(
        self,
        name: str,
        files: Sequence[str],
        schema: pa.Schema,
        *,
        where: Sequence[Condition] = (),
    ) -> "ir.Table":
        if not files:
            return self.rows(name, schema.empty_table())
        frame = self.spark.read.parquet(*files)
        for column, op, value in where:
            frame = frame.where(f"{column} {op} {int(value)}")
        return self._view(name, frame, schema)

    def rows(self, name: str, arrow: pa.Table) -> "ir.Table":
        if arrow.num_rows:
            return self._view(name, self.spark.createDataFrame(arrow), arrow.schema)
        columns = ", ".join(
            f"CAST(NULL AS {_SPARK_TYPES[str(field.type)]}) AS `{field.name}`"
            for field in arrow.schema
        )
        return self._view(name, self.spark.sql(f"SELECT {columns} WHERE false"), arrow.schema)

    def _view(self, name: str, frame: Any, schema: pa.Schema) -> "ir.Table":
        plain = name.replace("-", "_")  # the one name that every endpoint takes
        frame.createOrReplaceTempView(plain)
        return table_of(plain, schema)

    def run(self, build: "Callable[[], ir.Table]", *, same_as: Hashable) -> pa.Table:
        sql = _plain_division(translated(build, "databricks", same_as))
        return self.spark.sql(sql).toArrow()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The session stays: starting one takes seconds."""


@lru_cache(maxsize=64)
def _plain_division(sql: str) -> str:
    """`/` instead of try_divide, which Sail has for whole numbers only: no divisor of ours is 0."""
    import sqlglot
    from sqlglot import exp

    def plain(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.SafeDivide):
            return node
        above, below = exp.Paren(this=node.this), exp.Paren(this=node.expression)
        return exp.Div(this=above, expression=below, typed=True, safe=False)

    return sqlglot.parse_one(sql, read="databricks").transform(plain).sql(dialect="databricks")


_SPARK_TYPES = {
    "int32": "INT",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "string": "STRING",
    "date32[day]": "DATE",
}
_sail_server: list[Any] = []


def _sail() -> str:
    if not _sail_server:
        os.environ.setdefault("RUST_LOG", "error")
        try:
            from pysail.spark import SparkConnectServer
        except ImportError as error:
            raise EngineMissing(name="sail", module="pysail", extra="sail") from error
        server = SparkConnectServer()
        server.start(background=True)
        _sail_server.append(server)
    host, port = _sail_server[0].listening_address
    return f"sc://{host}:{port}"


class ChdbEngine:
    """ClickHouse in this process. Rows that come from elsewhere go through files."""

    def __init__(self) -> None:
        try:
            from chdb import session
        except ImportError as error:
            raise EngineMissing(name="chdb", module="chdb", extra="chdb") from error
        self.folder = Path(tempfile.mkdtemp(prefix="gengyun-chdb-"))
        self.session = session.Session()
        # what does not meet is unknown, as everywhere else, and not 0
        self.session.query("SET join_use_nulls = 1")

    def table(
        self,
        name: str,
        files: Sequence[str],
        schema: pa.Schema,
        *,
        where: Sequence[Condition] = (),
    ) -> "ir.Table":
        if not files:
            return self.rows(name, schema.empty_table())
        picked = " AND ".join(f"{column} {op} {int(value)}" for column, op, value in where)
        parts = [
            f"SELECT * FROM file({_quoted(file)}, 'Parquet') WHERE {picked or 1}" for file in files
        ]
        self.session.query(f"CREATE OR REPLACE VIEW `{name}` AS {' UNION ALL '.join(parts)}")
        return table_of(name, schema)

    def rows(self, name: str, arrow: pa.Table) -> "ir.Table":
        import pyarrow.parquet as pq

        path = self.folder / f"{name}.parquet"
        pq.write_table(arrow, path)
        source = f"file({_quoted(str(path))}, 'Parquet')"
        self.session.query(f"CREATE OR REPLACE VIEW `{name}` AS SELECT * FROM {source}")
        return table_of(name, arrow.schema)

    def run(self, build: "Callable[[], ir.Table]", *, same_as: Hashable) -> pa.Table:
        sql = translated(build, "clickhouse", same_as)
        answer = self.session.query(f"{sql} SETTINGS join_use_nulls = 1", "ArrowStream")
        return pa.ipc.open_stream(answer.bytes()).read_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
