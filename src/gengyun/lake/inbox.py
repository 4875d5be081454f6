"""The inbox: acknowledged batches of events, exactly as they came, until the drain has them.

Its own SQLite file, so that its write lock is not the one of the pages. A row is durable when
`append_many` returns (WAL with synchronous=FULL: one fsync per call, however many rows). Any number
of processes may append while one drain reads and deletes. No Django in here.
"""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from gengyun.lake.inbox_postgres import PostgresInbox

# large pages: a batch of 50 kB is a handful of overflow pages instead of a dozen
PAGE_BYTES = 16_384
# the log is folded into the file in the middle of some commit: small enough not to be felt
CHECKPOINT_PAGES = 1_000
# free space inside the file is reused; only a file that was blown up gives space back
KEEP_FREE_BYTES = 64 * 1024 * 1024
GIVE_BACK_BYTES = 16 * 1024 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    sent_at INTEGER,
    events INTEGER NOT NULL,
    body BLOB NOT NULL
)
"""
_INSERT = (
    "INSERT INTO batch (source_id, kind, received_at, sent_at, events, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


class NewBatch(NamedTuple):
    """One request body. `kind` is the path's: batch, track, identify, group, page, screen, alias.

    Instants are microseconds since 1970 UTC. `sent_at` is what the transport said about the
    client's clock, where it said anything; `events` is how many events the body holds.
    """

    source_id: int
    kind: str
    received_at: int
    sent_at: int | None
    events: int
    body: bytes


class Batch(NamedTuple):
    """A stored `NewBatch`; ids grow in the order of commits and are never used again."""

    id: int
    source_id: int
    kind: str
    received_at: int
    sent_at: int | None
    events: int
    body: bytes


class Inbox:
    """The inbox at `path`, made when it is not there. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._mutex = threading.Lock()
        # SQLite lets a second writer wait by sleeping and asking again, up to 100 ms at a time;
        # a file lock in front of it hands over at once
        self._turn: IO[bytes] = self.path.with_name(self.path.name + ".lock").open("ab")
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        with self._my_turn():
            # both only count for a new file and must come before the first table
            db.execute(f"PRAGMA page_size={PAGE_BYTES}")
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            # some builds write zeros over all that goes: as many bytes as came, once more. What is
            # freed is overwritten by the next batches, and the events themselves are in the lake
            db.execute("PRAGMA secure_delete=FAST")
            db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            db.execute("BEGIN IMMEDIATE")
            db.execute(_SCHEMA)
            if db.execute("SELECT 1 FROM sqlite_sequence WHERE name='batch'").fetchone() is None:
                # ids start at the clock: a lost and remade file never repeats the ids that the
                # lake's high-water mark and the quarantine remember
                db.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('batch', ?)",
                    (time.time_ns() // 1000,),
                )
            db.execute("COMMIT")
        return db

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        with self._mutex:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._my_turn():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def append_many(self, batches: Sequence[NewBatch]) -> None:
        """Store all or none, in order. When this returns they survive a power cut."""
        with self._write() as db:
            db.executemany(_INSERT, batches)

    def read(
        self, after_id: int = 0, limit_bytes: int = 16_000_000, limit_rows: int = 50_000
    ) -> list[Batch]:
        """The oldest batches after `after_id`: at least one if there is one, then up to limits."""
        batches: list[Batch] = []
        total = 0
        with self._mutex:
            rows = self._db.execute(
                "SELECT id, source_id, kind, received_at, sent_at, events, body"
                " FROM batch WHERE id > ? ORDER BY id LIMIT ?",
                (after_id, limit_rows),
            )
            for row in rows:
                total += len(row[6])
                if batches and total > limit_bytes:
                    break
                batches.append(Batch(*row))
            rows.close()  # an open cursor would keep the log from being folded in
        return batches

    def delete_through(self, last_id: int) -> int:
        """Forget every batch up to and including `last_id`; how many went."""
        with self._write() as db:
            gone = db.execute("DELETE FROM batch WHERE id <= ?", (last_id,)).rowcount
        self._give_back()
        return gone

    def _give_back(self) -> None:
        with self._my_turn():
            free_pages = self._pragma("freelist_count")
            spare = free_pages - KEEP_FREE_BYTES // PAGE_BYTES
            if spare > 0:
                step = min(spare, GIVE_BACK_BYTES // PAGE_BYTES)
                # a script: `execute` would stop after the first of its row-less steps
                self._db.executescript(f"PRAGMA incremental_vacuum({step})")

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def size(self) -> int:
        """Bytes that waiting batches take in the file."""
        with self._mutex:
            pages = self._pragma("page_count") - self._pragma("freelist_count")
            return pages * self._pragma("page_size")

    def depth(self) -> int:
        """Batches waiting. Ids have no gaps: rows go from the low end only."""
        with self._mutex:
            low, high = self._db.execute(
                "SELECT (SELECT min(id) FROM batch), (SELECT max(id) FROM batch)"
            ).fetchone()
        return 0 if low is None else high - low + 1

    def waiting_events(self) -> int:
        """Events in the waiting batches, as counted when they came."""
        with self._mutex:
            total: int = self._db.execute("SELECT coalesce(sum(events), 0) FROM batch").fetchone()[
                0
            ]
        return total

    def oldest_received_at(self) -> int | None:
        """When the batch at the head of the queue came, in microseconds; None: nothing waits."""
        with self._mutex:
            row = self._db.execute("SELECT received_at FROM batch ORDER BY id LIMIT 1").fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        with self._mutex:
            self._db.close()
            self._turn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


AnyInbox: TypeAlias = "Inbox | PostgresInbox"


def open_inbox(place: Path | str) -> AnyInbox:
    """The inbox of a deployment: a file's path, or the URL of its PostgreSQL database."""
    if isinstance(place, str) and "://" in place:
        from gengyun.lake.inbox_postgres import PostgresInbox

        return PostgresInbox(place)
    return Inbox(place)


def has_inbox(place: Path | str) -> bool:
    """False: nothing ever asked for it, so nothing can wait in it."""
    return (isinstance(place, str) and "://" in place) or Path(place).exists()
