"""The lake: Delta tables in a folder. The only door through which rows get in and out of it.

Data files and the log are on disk (fsync) before a write returns; delta-rs itself does not fsync.
Readers take their file list from the log, never from a folder listing, and a file that compaction
replaced lives on for GRACE so that a running reader keeps it.
"""

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gengyun.kernel import faults
from gengyun.lake import making, parquet, tables
from gengyun.lake.conditions import Condition, expression, may_match

if TYPE_CHECKING:
    from deltalake import DeltaTable

GRACE = timedelta(hours=1)
CHECKPOINT_EVERY = 50


class LostRace(Exception):
    """Another process replaced the same files first; nothing was changed."""


@dataclass(frozen=True)
class Changes:
    """What happened to a table between two versions, as far as its rows changed."""

    added: list[str]  # files, absolute
    removed: bool  # rows went away: what was derived from them must be made anew
    complete: bool  # False: the log or a file is gone; start from the whole table


class Lake:
    """All tables below one folder. Cheap to make; safe for several processes and threads."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open: dict[str, DeltaTable] = {}
        self._made: dict[str, int] = {}
        self._lists: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self._guard = threading.RLock()
        self._turns: dict[str, threading.Lock] = {}

    @classmethod
    def default(cls) -> "Lake":
        """The lake of this deployment (setting LAKE_DIR), one for the process.

        Opening a table reads its log; one that stays open reads only what is new.
        """
        from django.conf import settings

        path = Path(settings.LAKE_DIR)
        return _lakes.setdefault(path, cls(path))

    # -- reading ----------------------------------------------------------------------------

    def version(self, table: str) -> int:
        """The newest version of the table; -1 while it does not exist."""
        delta = self._current(table)
        return -1 if delta is None else int(delta.version())

    def app_version(self, table: str, app: str) -> int | None:
        """The highest version that the writer `app` has committed."""
        delta = self._current(table)
        return None if delta is None else delta.transaction_version(app)

    def files(self, table: str, *, where: Sequence[Condition] = ()) -> list[str]:
        """Absolute paths of the files that may hold matching rows, from the log.

        `where` prunes by partition value and by the file statistics of `tables.STATISTICS`; rows
        inside the files still need the same filter.
        """
        return [str(self.path / table / row["path"]) for row in self.file_rows(table, where)]

    def file_rows(self, table: str, where: Sequence[Condition] = ()) -> list[dict[str, Any]]:
        """The log's entry of each file that may hold matching rows: path, size_bytes, ranges."""
        with self._guard:
            delta = self._current(table)
            if delta is None:
                return []
            version = int(delta.version())
            known = self._lists.get(table)
            if known is None or known[0] != version:
                rows = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
                known = self._lists[table] = (version, rows)
            return [row for row in known[1] if may_match(row, where)]

    def partitions(self, table: str) -> list[Any]:
        """The partition values that hold files, ascending."""
        name = f"partition.{tables.PARTITIONS[table][0]}"
        return sorted({row[name] for row in self.file_rows(table)})

    def row_count(self, table: str, *, where: Sequence[Condition] = ()) -> int:
        """Rows in the files that may match: exact for partition conditions."""
        return sum(row["num_records"] for row in self.file_rows(table, where))

    def read(
        self,
        table: str,
        *,
        where: Sequence[Condition] = (),
        columns: list[str] | None = None,
    ) -> pa.Table:
        """The matching rows as Arrow, partition column included. For small reads and tests."""
        paths = [row["path"] for row in self.file_rows(table, where)]
        return self.read_files(table, paths, where=where, columns=columns)

    def read_files(
        self,
        table: str,
        paths: Sequence[str],
        *,
        where: Sequence[Condition] = (),
        columns: list[str] | None = None,
    ) -> pa.Table:
        """Like `read`, from some files of `file_rows` only."""
        import pyarrow.compute as pc
        import pyarrow.dataset as ds

        schema = tables.SCHEMAS[table]
        if not paths:
            return pa.schema([schema.field(n) for n in columns or schema.names]).empty_table()
        keys = pa.schema([schema.field(name) for name in tables.PARTITIONS[table]])
        root = str(self.path / table)
        data = ds.dataset(
            [f"{root}/{path}" for path in paths],
            schema=schema,
            format="parquet",
            partitioning=ds.partitioning(keys, flavor="hive"),
            partition_base_dir=root,
        )
        condition = None
        for name, op, value in where:
            test = expression(pc.field(name), op, value)
            condition = test if condition is None else condition & test
        return data.to_table(columns=columns or schema.names, filter=condition)

    def changes(self, table: str, *, after: int, to: int) -> Changes:
        """Files that versions after+1..to added; compaction (no change of rows) is left out."""
        added: dict[str, None] = {}
        removed = False
        for version in range(after + 1, to + 1):
            log = making.log_file(self.path / table, version)
            if not log.exists():
                return Changes([], removed=False, complete=False)
            for line in log.read_text().splitlines():
                action = json.loads(line)
                if "add" in action and action["add"].get("dataChange", True):
                    added[str(self.path / table / action["add"]["path"])] = None
                elif "remove" in action and action["remove"].get("dataChange", True):
                    removed = True
        complete = all(os.path.exists(name) for name in added)  # noqa: PTH110 - many, and quick
        return Changes(list(added), removed=removed, complete=complete)

    # -- writing ----------------------------------------------------------------------------

    def append(
        self, table: str, arrow: pa.Table, *, app: str | None = None, version: int | None = None
    ) -> bool:
        """Append rows, durable when it returns.

        With `app` and `version` the commit carries an application transaction; a version that was
        committed before is not written again. Returns whether this call wrote it.
        """
        marks = {} if app is None or version is None else {app: version}
        return self.commit(table, add=arrow, marks=marks)

    def replace_partition(
        self,
        table: str,
        column: str,
        value: Any,
        arrow: pa.Table | Iterable[pa.Table],
        *,
        marks: dict[str, int] | None = None,
    ) -> None:
        """Make `arrow` the only rows where column = value; run twice, nothing changes.

        Tables that come one after the other are written as they come, and count together.
        """
        if column not in tables.PARTITIONS[table]:
            raise ValueError(f"{column} is not the partition column of {table}")
        self.commit(table, add=arrow, replace=[(column, "=", value)], marks=marks, force=True)

    def commit(
        self,
        table: str,
        *,
        add: pa.Table | Iterable[pa.Table],
        replace: Sequence[Condition] | None = None,
        drop: Sequence[str] = (),
        marks: dict[str, int] | None = None,
        expect: Mapping[str, int | None] | None = None,
        force: bool = False,
        same_rows: bool = False,
    ) -> bool:
        """One Delta commit: rows in, files of `replace` and `drop` out, application marks.

        `same_rows` says that the rows stay what they were (compaction). Without `force` a commit
        whose every mark is already there is skipped. `expect` gives the marks that the rows were
        made from: LostRace if one has moved. Returns whether anything was written.
        """
        marks = marks or {}
        with self.writing(table) as delta:
            if marks and not force and _all_committed(delta, marks):
                return False
            for app, version in (expect or {}).items():
                if delta.transaction_version(app) != version:
                    raise LostRace(table)
            gone = list(drop)
            if gone and not set(gone) <= {row["path"] for row in self.file_rows(table)}:
                raise LostRace(table)
            if replace is not None:
                gone += [row["path"] for row in self.file_rows(table, replace)]
            pieces = [add] if isinstance(add, pa.Table) else add
            new = [file for piece in pieces if piece.num_rows for file in self._write(table, piece)]
            faults.point("lake.written")
            if not new and not gone and not marks:
                return False
            self._log_commit(table, delta, new, gone, marks, same_rows=same_rows)
        return True

    def trim_log(self, table: str) -> None:
        """Write a checkpoint and drop log entries older than the table's retention (one day)."""
        with self.writing(table) as delta:
            self._checkpoint(table, delta)
            delta.cleanup_metadata()

    # -- inside -----------------------------------------------------------------------------

    def _write(self, table: str, arrow: pa.Table) -> list[parquet.DataFile]:
        schema = tables.SCHEMAS[table]
        return parquet.write_files(
            self.path / table,
            arrow.select(schema.names).cast(schema),
            partition_by=tables.PARTITIONS[table][0],
            sort_by=tables.SORTED_BY[table],
            statistics=tables.STATISTICS[table],
        )

    def _log_commit(
        self,
        table: str,
        delta: "DeltaTable",
        new: list[parquet.DataFile],
        gone: list[str],
        marks: dict[str, int],
        *,
        same_rows: bool,
    ) -> None:
        from deltalake import CommitProperties, PostCommitHookProperties, Transaction
        from deltalake.transaction import AddAction, RemoveAction

        # the instant of the commit: files of a table have no other clock
        stamp = int(_now_ms())
        actions: list[AddAction | RemoveAction] = [
            AddAction(f.path, f.size, f.partition, stamp, not same_rows, f.stats) for f in new
        ]
        actions += [RemoveAction(path, not same_rows, stamp) for path in gone]
        delta.create_write_transaction(
            actions,
            "append",
            tables.SCHEMAS[table],
            tables.PARTITIONS[table],
            commit_properties=CommitProperties(
                app_transactions=[Transaction(app, version) for app, version in marks.items()]
            ),
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )
        delta.update_incremental()
        making.make_durable(self.path / table, int(delta.version()))
        if delta.version() % CHECKPOINT_EVERY == 0:
            self._checkpoint(table, delta)

    def _checkpoint(self, table: str, delta: "DeltaTable") -> None:
        delta.create_checkpoint()
        folder = self.path / table / "_delta_log"
        for path in (
            *folder.glob(f"{delta.version():020d}.checkpoint*"),
            folder / "_last_checkpoint",
        ):
            parquet.fsync_file(path)
        parquet.fsync_folder(folder)

    @contextlib.contextmanager
    def writing(self, table: str) -> Iterator["DeltaTable"]:
        """One writer of a table at a time, across processes; readers never wait."""
        locks = self.path / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with self._guard:
            turn = self._turns.setdefault(table, threading.Lock())
        with turn, (locks / f"{table}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # an object of its own: readers of this process go on with theirs meanwhile
            delta = self._opened(f"{table} for writing", table)
            if delta is None:
                folder, schema = self.path / table, tables.SCHEMAS[table]
                delta = making.make_table(folder, schema, tables.PARTITIONS[table])
            yield delta

    def _current(self, table: str) -> "DeltaTable | None":
        return self._opened(table, table)

    def _opened(self, key: str, table: str) -> "DeltaTable | None":
        from deltalake import DeltaTable

        with self._guard:
            if not (self.path / table / "_delta_log").exists():
                return None
            try:
                made = (self.path / table / making.MADE).stat().st_mtime_ns
            except FileNotFoundError:
                made = 0  # a table that another program made
            delta = self._open.get(key)
            if delta is not None and self._made.get(key) == made:
                delta.update_incremental()
                return delta
            self._open.pop(key, None)  # another table under the same name
            self._lists.pop(table, None)
            if not making.is_begun(self.path / table):
                return None
            self._made[key] = made
            delta = DeltaTable(self.path / table)
            # who wrote the newest version may have been killed before it was on disk, and the
            # caller may throw away what it finds in here; an entry that is gone has a checkpoint
            with contextlib.suppress(FileNotFoundError):
                making.make_durable(self.path / table, int(delta.version()))
            self._open[key] = delta
            return delta


_lakes: dict[Path, Lake] = {}


def _all_committed(delta: "DeltaTable", marks: dict[str, int]) -> bool:
    for app, version in marks.items():
        committed = delta.transaction_version(app)
        if committed is None or committed < version:
            return False
    return True


def _now_ms() -> float:
    import time

    return time.time() * 1000
