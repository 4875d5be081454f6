"""Many small files into few: same rows, sorted; replaced files go after a grace time."""

from datetime import date
from typing import Any

import pyarrow as pa

from gengyun.lake import tables
from gengyun.lake.engine import connect, file_list
from gengyun.lake.rolling import UNITE
from gengyun.lake.store import GRACE, Lake, LostRace

BIG_ENOUGH = 64 * 1024 * 1024  # a file of this size is left alone
AT_ONCE = 2 * BIG_ENOUGH  # compressed bytes rewritten together: they are sorted in memory
FEWEST = 2  # so many small files of one partition are worth a rewrite


def compact(lake: Lake, table: str, *, fewest: int = FEWEST, below: int = BIG_ENOUGH) -> int:
    """Rewrite partitions that have `fewest` or more files smaller than `below` bytes.

    Returns the number of files that went.
    """
    if table not in UNITE:
        return 0
    gone = 0
    for value, rows in _small_files(lake, table, below).items():
        if len(rows) < fewest:
            continue
        for batch in _batches(rows):
            gone += _rewrite(lake, table, value, [row["path"] for row in batch])
    return gone


def vacuum(lake: Lake, table: str) -> int:
    """Delete files that no version of the last hour needs, leftovers of killed writers included."""
    with lake.writing(table) as delta:
        return len(
            delta.vacuum(
                retention_hours=max(1, int(GRACE.total_seconds() // 3600)),
                enforce_retention_duration=False,
                dry_run=False,
                full=True,
            )
        )


def tidy(lake: Lake) -> dict[str, int]:
    """Compact and vacuum every table; the worker calls it hourly."""
    done = {}
    for table in tables.SCHEMAS:
        if lake.version(table) >= 0:
            done[table] = compact(lake, table)
            vacuum(lake, table)
            lake.trim_log(table)
    return done


def _small_files(lake: Lake, table: str, below: int) -> dict[Any, list[dict[str, Any]]]:
    partition = f"partition.{tables.PARTITIONS[table][0]}"
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in lake.file_rows(table):
        if row["size_bytes"] < below:
            found.setdefault(row[partition], []).append(row)
    return found


def _batches(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Smallest first, as many as fit into one rewrite; a batch of one is not worth it."""
    batches: list[list[dict[str, Any]]] = [[]]
    size = 0
    for row in sorted(rows, key=lambda row: row["size_bytes"]):
        if size + row["size_bytes"] > AT_ONCE:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += row["size_bytes"]
    return [batch for batch in batches if len(batch) > 1]


def _rewrite(lake: Lake, table: str, value: Any, paths: list[str]) -> int:
    column = tables.PARTITIONS[table][0]
    files = file_list([str(lake.path / table / path) for path in paths])
    source = f"read_parquet({files}, hive_partitioning = false)"
    db = connect()
    try:
        rows = db.sql(UNITE[table].format(source=source)).to_arrow_table()
    finally:
        db.close()
    kind = pa.date32() if isinstance(value, date) else pa.string()
    rows = rows.append_column(column, pa.repeat(pa.scalar(value, kind), len(rows)))
    try:
        lake.commit(table, add=rows, drop=paths, same_rows=True)
    except LostRace:
        return 0
    return len(paths)
