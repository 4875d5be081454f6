"""Writing the data files of a table: sorted, a folder per partition, on disk before they count."""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gengyun.lake import tables

# small enough that one customer's rows cost one group per file: wide rows (explanations) fewer
ROW_GROUP = 65_536
GROUP_BYTES = 8 * 1024 * 1024
# from so many rows on the engine sorts, as long as its memory holds them well
MANY, IN_MEMORY = 250_000, 300 * 1024 * 1024


@dataclass(frozen=True)
class DataFile:
    """A file as the Delta log names it."""

    path: str  # relative to the table
    size: int
    partition: dict[str, str | None]
    rows: int
    stats: str


def fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_files(
    root: Path,
    arrow: pa.Table,
    *,
    partition_by: str,
    sort_by: list[str],
    statistics: list[str],
) -> list[DataFile]:
    """Write one file per partition value, fsync files and folders. Nothing is committed yet."""
    files: list[DataFile] = []
    for value in pc.unique(arrow[partition_by]).to_pylist():
        part = arrow
        if files or pc.count_distinct(arrow[partition_by]).as_py() > 1:
            part = arrow.filter(pc.equal(arrow[partition_by], pa.scalar(value)))
        part = part.drop_columns([partition_by])
        if sort_by:
            part = _sorted(part, sort_by)
        text = value.isoformat() if isinstance(value, date) else str(value)
        files.append(_write_one(root, part, {partition_by: text}, statistics))
    return files


def _sorted(part: pa.Table, sort_by: list[str]) -> pa.Table:
    if part.num_rows >= MANY and part.nbytes <= IN_MEMORY:
        return _sorted_by_engine(part, sort_by)
    order = [(name, "ascending") for name in sort_by]
    if tables.MONTH_OF not in sort_by:
        return part.sort_by(order)
    months = pc.floor_temporal(part["day"], unit="month")
    return part.append_column(tables.MONTH_OF, months).sort_by(order).select(part.column_names)


def _sorted_by_engine(part: pa.Table, sort_by: list[str]) -> pa.Table:
    """The same order, on every core: arrow sorts on one and takes twice the time."""
    from gengyun.lake.engine import connect

    order = ", ".join(
        "date_trunc('month', day)" if name == tables.MONTH_OF else f'"{name}"' for name in sort_by
    )
    db = connect()
    try:
        db.register("part", part)
        return db.sql(f"SELECT * FROM part ORDER BY {order}").to_arrow_table().cast(part.schema)
    finally:
        db.close()


def _write_one(
    root: Path, part: pa.Table, partition: dict[str, str | None], statistics: list[str]
) -> DataFile:
    import pyarrow.parquet as pq

    folder = root / "/".join(f"{name}={value}" for name, value in partition.items())
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fsync_folder(root)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    texts = [field.name for field in part.schema if pa.types.is_string(field.type)]
    with path.open("wb") as file:
        pq.write_table(
            part,
            file,
            compression="zstd",
            row_group_size=_group_rows(part),
            use_dictionary=[name for name in texts if name != "properties"],
        )
        file.flush()
        os.fsync(file.fileno())
    fsync_folder(folder)
    return DataFile(
        path=str(path.relative_to(root)),
        size=path.stat().st_size,
        partition=partition,
        rows=part.num_rows,
        stats=_stats(part, statistics),
    )


def _group_rows(part: pa.Table) -> int:
    return int(max(512, min(ROW_GROUP, part.num_rows * GROUP_BYTES // max(part.nbytes, 1))))


def _stats(part: pa.Table, columns: list[str]) -> str:
    """File statistics in the form of the Delta protocol."""
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for name in columns:
        ends = pc.min_max(part[name]).as_py()
        nulls[name] = part[name].null_count
        if ends["min"] is not None:
            least[name], greatest[name] = _plain(ends["min"]), _plain(ends["max"], up=True)
    return json.dumps(
        {
            "numRecords": part.num_rows,
            "minValues": least,
            "maxValues": greatest,
            "nullCount": nulls,
        }
    )


def _plain(value: Any, *, up: bool = False) -> Any:
    if isinstance(value, datetime):
        # the protocol keeps milliseconds; the greatest value is rounded up, never cut
        whole = value.microsecond // 1000 + (1 if up and value.microsecond % 1000 else 0)
        if whole == 1000:
            from datetime import timedelta

            value, whole = value.replace(microsecond=0) + timedelta(seconds=1), 0
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{whole:03d}Z"
    return value.isoformat() if isinstance(value, date) else value


def distinct(paths: Sequence[str], column: str) -> list[int]:
    """The values of a whole-number column in these files, ascending."""
    import pyarrow.parquet as pq

    found: set[int] = set()
    for path in paths:
        values = pq.read_table(path, columns=[column], partitioning=None)[column]
        found.update(pc.unique(values).to_pylist())
    return sorted(found)
