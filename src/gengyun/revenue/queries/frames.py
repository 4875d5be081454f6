"""The ledger as columns: every movement once, in arrays, for figures over all customers.

Movements are only ever added, so the columns of what was there are kept in a file under the data
folder and only what is newer is read from the database. A copy is trusted only if the number of its
rows, their newest key, and the customers they hang on are what the database says now; anything
else (another database, customers merged) makes it anew. Nothing is lost with the file.
"""

import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, CharField, Count, F, Max, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce

from gengyun.revenue.calc.moves import EPOCH, KIND_CODE, Bools
from gengyun.revenue.models import Movement

FILE = "cache/movements-1.npy"  # the number is that of the layout
KEPT_FROM = 100_000  # fewer rows are kept in memory only
CHUNK = 50_000
NO_DAY = -(2**31)  # int32: a day that is not set
NO_AMOUNT = -(2**62)
PROBES = 16

LAYOUT = np.dtype(
    [
        ("pk", np.int64),
        ("arr", np.int64),
        ("due", np.int64),  # 0 without one; see `has_due`
        ("known", np.int64),  # seconds since 1970 UTC
        ("corrects", np.int64),  # pk, 0 for none
        ("customer", np.int32),
        ("contract", np.int32),
        ("line", np.int32),
        ("product", np.int32),
        ("day", np.int32),  # days since 1970-01-01
        ("due_on", np.int32),
        ("signed_on", np.int32),
        ("group", np.int32),  # place in `groups`
        ("code", np.int16),  # place in `codes`
        ("kind", np.int8),
        ("has_due", np.int8),
    ]
)
COLUMNS = (
    "pk", "customer_id", "contract_id", "line_id", "product_id", "kind", "currency", "group",
    "day", "known", "due_day", "signed_day", "arr_minor", "due_minor", "corrects_id",
)  # fmt: skip
Rows = npt.NDArray[Any]
_lock = threading.Lock()
_held: dict[str, "Frame"] = {}  # by database


@dataclass(frozen=True)
class Frame:
    """All movements, ordered by key. `rows` has the fields of LAYOUT and is read-only."""

    rows: Rows
    codes: tuple[str, ...]  # currencies
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: Bools) -> "Frame":
        return Frame(self.rows[kept], self.codes, self.groups)


def movement_frame() -> Frame:
    """Every movement there is now, whoever may see it; callers keep to what the actor may.

    Inside a transaction nothing is kept: what it wrote may never have been.
    """
    if connection.in_atomic_block:
        return _read(Movement.objects.all(), None)
    stamp = _stamp(Movement.objects.all())
    name = str(connection.settings_dict["NAME"])
    with _lock:
        kept = _held.get(name)
        if kept is None and stamp[0] >= KEPT_FROM:
            kept = _from_file()
        if kept is not None and _stamp_of(kept) == stamp and _agrees(kept):
            _held[name] = kept
            return kept
        if kept is not None and not _is_beginning(kept):
            kept = None
        newest = int(kept.rows["pk"].max()) if kept is not None and len(kept) else 0
        found = _read(Movement.objects.filter(pk__gt=newest), kept)
        _held[name] = found
        if stamp[0] >= KEPT_FROM:
            with suppress(OSError):  # a full or read-only disk costs speed, not the answer
                _to_file(found)
                _held[name] = _from_file() or found  # shared with other processes, and paged
    return found


def _is_beginning(kept: Frame) -> bool:
    """Is the copy what the database holds up to the newest of its rows?"""
    newest = int(kept.rows["pk"].max()) if len(kept) else 0
    return _stamp(Movement.objects.filter(pk__lte=newest)) == _stamp_of(kept) and _agrees(kept)


def _agrees(kept: Frame) -> bool:
    """Some rows, the newest among them: another database may hold as many."""
    if not len(kept):
        return True
    places = np.unique(np.linspace(0, len(kept) - 1, PROBES).astype(np.int64))
    probes = {int(row["pk"]): (int(row["arr"]), int(row["customer"])) for row in kept.rows[places]}
    found = Movement.objects.filter(pk__in=list(probes)).order_by()
    told = {pk: (arr, who) for pk, arr, who in found.values_list("pk", "arr_minor", "customer_id")}
    return told == probes


def _stamp(rows: "QuerySet[Movement]") -> tuple[int, int, int]:
    """How many, the newest key, and the sum of the customers: what a merge would change."""
    found = rows.order_by().aggregate(count=Count("pk"), newest=Max("pk"), owners=Sum("customer"))
    return found["count"], found["newest"] or 0, found["owners"] or 0


def _stamp_of(frame: Frame) -> tuple[int, int, int]:
    rows = frame.rows
    if not len(rows):
        return 0, 0, 0
    return len(rows), int(rows["pk"].max()), int(rows["customer"].sum(dtype=np.int64))


# ---- from the database


class _Places(dict[str, int]):
    """Texts in the order in which they were met."""

    def __missing__(self, text: str) -> int:
        self[text] = place = len(self)
        return place


class _Days(dict[str, int]):
    """Days as numbers, each worked out once."""

    def __missing__(self, text: str) -> int:
        number = NO_DAY
        if text:
            year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
            number = EPOCH.replace(year, month, day).toordinal() - EPOCH.toordinal()
        self[text] = number
        return number


def _read(rows: "QuerySet[Movement]", kept: Frame | None) -> Frame:
    """`kept` with these rows after it. Days come as texts, which both databases write alike."""
    codes = _Places({code: at for at, code in enumerate(kept.codes)} if kept else {})
    groups = _Places({group: at for at, group in enumerate(kept.groups)} if kept else {})
    days = _Days()
    parts = [kept.rows] if kept is not None else []
    query = rows.order_by("pk").values_list(*_expressions()).query
    sql, params = query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while chunk := cursor.fetchmany(CHUNK):
            parts.append(_encoded(chunk, codes, groups, days))
    found = np.concatenate(parts) if parts else np.zeros(0, LAYOUT)
    found.flags.writeable = False
    return Frame(found, tuple(codes), tuple(groups))


def _expressions() -> list[Any]:
    def text(name: str) -> Coalesce:
        return Coalesce(Cast(name, CharField()), Value(""), output_field=CharField())

    def whole(name: str, missing: int = 0) -> Coalesce:
        return Coalesce(F(name), Value(missing), output_field=BigIntegerField())

    changed = {
        "day": text("effective_on"),
        "known": text("known_at"),
        "due_day": text("due_on"),
        "signed_day": text("signed_on"),
        "contract_id": whole("contract_id"),
        "line_id": whole("line_id"),
        "product_id": whole("product_id"),
        "corrects_id": whole("corrects_id"),
        "due_minor": whole("due_minor", NO_AMOUNT),
    }
    return [changed.get(name, F(name)) for name in COLUMNS]


def _encoded(chunk: list[tuple[Any, ...]], codes: _Places, groups: _Places, days: _Days) -> Rows:
    column = dict(zip(COLUMNS, zip(*chunk, strict=True), strict=True))
    found = np.zeros(len(chunk), LAYOUT)

    for name, source in (
        ("pk", "pk"),
        ("arr", "arr_minor"),
        ("due", "due_minor"),
        ("corrects", "corrects_id"),
        ("customer", "customer_id"),
        ("contract", "contract_id"),
        ("line", "line_id"),
        ("product", "product_id"),
    ):
        found[name] = np.fromiter(column[source], np.int64, len(chunk))
    found["has_due"] = found["due"] != NO_AMOUNT
    found["due"][found["has_due"] == 0] = 0
    for name, source in (("day", "day"), ("due_on", "due_day"), ("signed_on", "signed_day")):
        found[name] = np.fromiter(map(days.__getitem__, column[source]), np.int32, len(chunk))
    found["kind"] = np.fromiter(map(KIND_CODE.__getitem__, column["kind"]), np.int8, len(chunk))
    found["code"] = np.fromiter(map(codes.__getitem__, column["currency"]), np.int16, len(chunk))
    found["group"] = np.fromiter(map(groups.__getitem__, column["group"]), np.int32, len(chunk))
    # to the second, in UTC, as both databases keep it; cut off, so never later than it was
    instants = np.array(column["known"], "U19")
    found["known"] = np.char.replace(instants, " ", "T").astype("M8[s]").astype(np.int64)
    return found


# ---- the file


def _path() -> Path:
    return Path(settings.DATA_DIR) / FILE


def _from_file() -> Frame | None:
    path = _path()
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
        texts = np.load(path.with_suffix(".texts.npy"), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    mark, count = (int(text) for text in texts[:2]) if len(texts) >= 2 else (-1, 0)
    # the two files are written one after the other: they must be of one making
    if rows.dtype != LAYOUT or mark != len(rows):
        return None
    names = tuple(str(text) for text in texts[2:])
    return Frame(rows, names[:count], names[count:])


def _to_file(frame: Frame) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = np.array(
        [str(len(frame)), str(len(frame.codes)), *frame.codes, *frame.groups], dtype=np.str_
    )
    for target, values in ((path, frame.rows), (path.with_suffix(".texts.npy"), texts)):
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npy")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, values, allow_pickle=False)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
