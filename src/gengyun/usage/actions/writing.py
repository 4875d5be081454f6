"""Rows to Arrow, without the ones that are there already."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gengyun.kernel.days import day_of
from gengyun.lake import tables
from gengyun.lake.conditions import Condition
from gengyun.lake.keys import hash64
from gengyun.lake.store import Lake
from gengyun.usage.actions.deliveries import Row

Keys = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Every zone's offset is a whole number of quarters of an hour: all instants of one quarter fall
# on the same day, so a few hundred conversions serve a hundred thousand events.
_QUARTER_US = 900_000_000
_EPOCH_DAY = date(1970, 1, 1)


def days_since_epoch(instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """The company's day of each instant (microseconds), as days since 1970-01-01."""
    quarters, place = np.unique(instants // _QUARTER_US, return_inverse=True)
    days = np.fromiter(
        ((day_of(datetime.fromtimestamp(int(q) * 900, UTC)) - _EPOCH_DAY).days for q in quarters),
        dtype=np.int32,
        count=len(quarters),
    )
    return days[place]


def first_of_each(keys: Keys) -> Mask:
    """True for the first row with its key."""
    mask = np.zeros(len(keys), dtype=np.bool_)
    mask[np.unique(keys, return_index=True)[1]] = True
    return mask


def message_keys(rows: Sequence[Row]) -> Keys:
    """`lake.keys.message_key` of every row, at half the price of one at a time."""
    texts = [f"{row[0].source.pk}:{row[1].message_id}" for row in rows]
    try:
        whole = list(map(str.encode, texts))
    except UnicodeEncodeError:  # half of a pair, as only files can hold it
        whole = [text.encode("utf-8", "surrogatepass") for text in texts]
    digests = b"".join([blake2b(text, digest_size=8).digest() for text in whole])
    keys = np.frombuffer(digests, dtype=">i8").astype(np.int64)
    keys[keys == 0] = 1
    return keys


def to_arrow(rows: Sequence[Row], keys: Keys) -> pa.Table:
    """The rows in the shape of the events table."""
    if not rows:
        return tables.EVENTS.empty_table()
    deliveries, events, customers, users, known_at = zip(*rows, strict=True)
    hashes = {user_id: hash64(user_id) for user_id in set(users)}
    hashes[""] = 0
    happened = np.array([event.happened_at for event in events], dtype=np.int64)
    known = np.array(known_at, dtype=np.int64)
    # the rows of one request stand together: what they have in common is asked for once
    runs = [(delivery, len(list(run))) for delivery, run in groupby(deliveries)]
    lengths = [length for _, length in runs]
    received = np.repeat(
        np.array([delivery.received_at for delivery, _ in runs], dtype=np.int64), lengths
    )
    sources = np.repeat(
        np.array([delivery.source.pk for delivery, _ in runs], dtype=np.int32), lengths
    )
    known_day = days_since_epoch(known)
    columns = {
        # a replayed event joins the day on which it became known, old days stay as they are
        "received_day": np.maximum(days_since_epoch(received), known_day),
        "customer_id": np.array(customers, dtype=np.int64),
        "user_key": np.array(list(map(hashes.__getitem__, users)), dtype=np.int64),
        "user_id": pa.array(users, pa.string()),
        "kind": pa.array([event.kind for event in events], pa.string()),
        "event": pa.array([event.event for event in events], pa.string()),
        "day": days_since_epoch(happened),
        "known_day": known_day,
        "happened_at": happened,
        "known_at": known,
        "received_at": received,
        "source_id": sources,
        "message_key": keys,
        "properties": pa.array([event.properties for event in events], pa.string()),
    }
    return pa.table(
        [_column(columns[field.name], field.type) for field in tables.EVENTS],
        schema=tables.EVENTS,
    )


def _column(values: object, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    plain = pa.array(values)
    # 32-bit days and 64-bit microseconds have the layout of date32 and timestamp
    return plain if plain.type == kind else plain.view(kind)


class LakeKeys:
    """Message keys that the lake has, kept sorted in memory: 8 bytes an event.

    Of the last `days` days, or of all files that `where` lets through. Files never change, so each
    is read once; small runs are merged into larger ones. A file that compaction made of known ones
    adds nothing new.
    """

    def __init__(
        self, lake: Lake, *, days: int | None = None, where: Sequence[Condition] = ()
    ) -> None:
        self.lake = lake
        self.days = days
        self.where = list(where)
        self._since: date | None = None
        self._read: set[str] = set()
        self._runs: list[Keys] = []

    def known(self, keys: Keys, *, today: date) -> Mask:
        """Which of the keys are in the lake already."""
        self._refresh(today)
        found = np.zeros(len(keys), dtype=np.bool_)
        for run in self._runs:
            found |= in_sorted(run, keys)
        return found

    def _refresh(self, today: date) -> None:
        where = list(self.where)
        if self.days is not None:
            since = today - timedelta(days=self.days)
            if since != self._since:  # a new day: forget the oldest
                self._since, self._read, self._runs = since, set(), []
            where.append(("received_day", ">=", since))
        for name in self.lake.files("events", where=where):
            if name not in self._read:
                self._add(_keys_of_file(name))
                self._read.add(name)

    def _add(self, keys: Keys) -> None:
        run = _sorted_once(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = _sorted_once(np.concatenate([self._runs.pop(), run]))
        if len(run):
            self._runs.append(run)


def _sorted_once(keys: Keys) -> Keys:
    """Ascending, each key once. numpy's unique goes through a hash table: ten times as long."""
    run = np.sort(keys)
    return run[np.append(run[1:] != run[:-1], True)] if len(run) else run


def _keys_of_file(name: str) -> Keys:
    import pyarrow.parquet as pq

    column = pq.read_table(name, columns=["message_key"], partitioning=None).column(0)
    keys: Keys = column.to_numpy()
    return keys


def in_sorted(run: Keys, keys: Keys) -> Mask:
    if not len(run):
        return np.zeros(len(keys), dtype=np.bool_)
    place = np.searchsorted(run, keys)
    place[place == len(run)] = 0
    found: Mask = run[place] == keys
    return found


_recent: dict[tuple[Path, int], LakeKeys] = {}


def recent_keys(lake: Lake, *, days: int) -> LakeKeys:
    """The keys of this lake's last days, as far as this process has read them."""
    return _recent.setdefault((lake.path, days), LakeKeys(lake, days=days))
