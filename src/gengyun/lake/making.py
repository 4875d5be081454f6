"""Making a Delta table so that a kill or a power cut half way costs nothing.

Rows are committed only after version 0 of the log is on disk. A log that holds nothing but an
incomplete version 0 (a power cut before the fsync) therefore holds no rows and may begin anew.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from gengyun.lake.parquet import fsync_file, fsync_folder

if TYPE_CHECKING:
    from deltalake import DeltaTable

MADE = "_made"  # an empty file in a table's folder: its time tells one table from the next


def log_file(folder: Path, version: int) -> Path:
    return folder / "_delta_log" / f"{version:020d}.json"


def is_begun(folder: Path) -> bool:
    """Whether the folder holds a table. A log with later entries is one, be it readable or not."""
    log = folder / "_delta_log"
    entries = {*log.glob("*.json"), *log.glob("*.parquet")}
    first = log_file(folder, 0)
    if entries != {first}:
        return bool(entries)
    try:
        actions = [json.loads(line) for line in first.read_bytes().splitlines()]
    except ValueError:
        return False
    return {"protocol", "metaData"} <= {key for action in actions for key in action}


def make_table(folder: Path, schema: pa.Schema, partition_by: list[str]) -> "DeltaTable":
    """Make the table, durable on return, or open it where it exists. Under the writing lock."""
    from deltalake import DeltaTable

    folder.mkdir(parents=True, exist_ok=True)
    if not is_begun(folder):
        log_file(folder, 0).unlink(missing_ok=True)
        (folder / MADE).touch()
    delta = DeltaTable.create(
        folder,
        schema,
        partition_by=partition_by,
        mode="ignore",  # a program that does not know our lock may have been quicker
        configuration={"delta.logRetentionDuration": "interval 1 days"},
    )
    make_durable(folder, int(delta.version()))
    fsync_folder(folder)
    fsync_folder(folder.parent)
    return delta


def make_durable(folder: Path, version: int) -> None:
    """fsync one entry of the log; delta-rs does not."""
    log = log_file(folder, version)
    fsync_file(log)
    fsync_folder(log.parent)
