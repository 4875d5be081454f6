"""The ledger as columns: every movement once, in arrays, for figures over all customers.

Movements are only ever added, so the columns of what was there are kept in a file under the data
folder and only what is newer is read from the database. A copy is trusted only if the database has
as many rows up to its newest key and agrees on some of them; else it is made anew. Merges of
customers, which move movements, are followed. Nothing is lost with the file.
"""

import json
import mmap
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, CharField, Count, F, QuerySet, Value
from django.db.models.functions import Cast, Coalesce

from gengyun.customers.models import CustomerMerge
from gengyun.revenue.calc.moves import EPOCH, KIND_CODE, Bools
from gengyun.revenue.models import Movement

FILE = "cache/movements-1.columns"  # the number is that of the layout
KEPT_FROM = 100_000  # fewer rows are kept in memory only
CHUNK = 50_000
NO_DAY = -(2**31)  # int32: a day that is not set
NO_AMOUNT = -(2**62)
PROBES = 16
FEW = 900  # ids that go into a query

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
Column = npt.NDArray[Any]
Merges = tuple[int, int]
ALIGN = 64
_lock = threading.Lock()
_held: dict[str, "Frame"] = {}  # by database


class Columns:
    """One array per field of LAYOUT, all of one length; some of the rows, picked when asked for."""

    def __init__(self, arrays: Mapping[str, Column], places: Column | None = None) -> None:
        self._arrays, self._places = dict(arrays), places
        self._picked: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        if self._places is None:
            return self._arrays[name]
        if name not in self._picked:
            self._picked[name] = self._arrays[name][self._places]
        return self._picked[name]

    def __len__(self) -> int:
        return len(self._arrays["pk"]) if self._places is None else len(self._places)

    def only(self, kept: Bools) -> "Columns":
        chosen = np.flatnonzero(kept)
        return Columns(self._arrays, chosen if self._places is None else self._places[chosen])

    def changed(self, **arrays: Column) -> "Columns":
        """With other columns in the place of some; of all rows."""
        return Columns(self._arrays | arrays)


@dataclass(frozen=True)
class Frame:
    """All movements, ordered by key."""

    rows: Columns
    codes: tuple[str, ...]  # currencies
    groups: tuple[str, ...]
    merges: Merges = (0, 0)  # of customers: made and undone, when the owners were read

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: Bools) -> "Frame":
        return Frame(self.rows.only(kept), self.codes, self.groups, self.merges)


def movement_frame() -> Frame:
    """Every movement there is now, whoever may see it; callers keep to what the actor may.

    Inside a transaction nothing is kept: what it wrote may never have been.
    """
    if connection.in_atomic_block:
        return _read(Movement.objects.all(), None, _merges())
    rows, merges = Movement.objects.all(), _merges()
    count = rows.count()
    name = str(connection.settings_dict["NAME"])
    with _lock:
        kept = _held.get(name)
        if kept is None and count >= KEPT_FROM:
            kept = _from_file()
        if kept is not None and kept.merges != merges:
            kept = _owned(kept, merges)
        newest = _newest(kept)
        if kept is not None and not (
            len(kept) == rows.filter(pk__lte=newest).count() and _agrees(kept)
        ):
            kept, newest = None, 0
        if kept is not None and len(kept) == count and kept is _held.get(name):
            return kept
        found = _read(rows.filter(pk__gt=newest), kept, merges)
        if count >= KEPT_FROM and (kept is None or len(found) > len(kept)):
            with suppress(OSError):  # a full or read-only disk costs speed, not the answer
                _to_file(found)
                found = _from_file() or found  # shared with other processes, and paged
        _held[name] = found
    return found


def keep_movements() -> int:
    """Bring the file up to now, so that a page reads only what is newer: of a large ledger the
    first reading takes long. How many movements it holds, 0 where there are too few to keep."""
    if connection.in_atomic_block or Movement.objects.count() < KEPT_FROM:
        return 0
    return len(movement_frame())


def _newest(kept: Frame | None) -> int:
    return int(kept.rows["pk"].max()) if kept is not None and len(kept) else 0


def _merges() -> Merges:
    """What moves movements from one customer to another: merges, and merges taken back."""
    found = CustomerMerge.objects.order_by().aggregate(made=Count("pk"), undone=Count("undone_at"))
    return found["made"], found["undone"]


def _owned(kept: Frame, merges: Merges) -> Frame:
    """With the owners as they are now: only those of merged customers can have changed."""
    pairs = CustomerMerge.objects.order_by().values_list("gone_id", "kept_id")
    touched = sorted({pk for pair in pairs for pk in pair})
    owners = kept.rows["customer"].copy()
    pks = kept.rows["pk"]
    for start in range(0, len(touched), FEW):
        part = Movement.objects.filter(customer_id__in=touched[start : start + FEW]).order_by()
        for pk, owner in part.values_list("pk", "customer_id"):
            at = int(np.searchsorted(pks, pk))
            if at < len(pks) and pks[at] == pk:
                owners[at] = owner
    return Frame(kept.rows.changed(customer=owners), kept.codes, kept.groups, merges)


def _agrees(kept: Frame) -> bool:
    """Some rows, the newest among them: another database may hold as many."""
    if not len(kept):
        return True
    places = np.unique(np.linspace(0, len(kept) - 1, PROBES).astype(np.int64))
    rows = kept.rows
    probes = {
        int(rows["pk"][at]): (int(rows["arr"][at]), int(rows["customer"][at])) for at in places
    }
    found = Movement.objects.filter(pk__in=list(probes)).order_by()
    told = {pk: (arr, who) for pk, arr, who in found.values_list("pk", "arr_minor", "customer_id")}
    return told == probes


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


def _read(rows: "QuerySet[Movement]", kept: Frame | None, merges: Merges) -> Frame:
    """`kept` with these rows after it. Days come as texts, which both databases write alike."""
    codes = _Places({code: at for at, code in enumerate(kept.codes)} if kept else {})
    groups = _Places({group: at for at, group in enumerate(kept.groups)} if kept else {})
    days = _Days()
    parts = [np.zeros(0, LAYOUT)]
    query = rows.order_by("pk").values_list(*_expressions()).query
    sql, params = query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while chunk := cursor.fetchmany(CHUNK):
            parts.append(_encoded(chunk, codes, groups, days))
    arrays = {}
    for name in LAYOUT.names or ():
        before = [kept.rows[name]] if kept is not None else []
        arrays[name] = np.concatenate([*before, *(part[name] for part in parts)])
        arrays[name].flags.writeable = False
    return Frame(Columns(arrays), tuple(codes), tuple(groups), merges)


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


def _encoded(chunk: list[tuple[Any, ...]], codes: _Places, groups: _Places, days: _Days) -> Column:
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
    """The columns as they lie in the file, paged in where they are used."""
    try:
        with _path().open("rb") as file:
            told = json.loads(file.readline())
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count, places = told["count"], _places(told["count"], told["header"])
        arrays = {
            name: np.frombuffer(held, LAYOUT[name], count, places[name])
            for name in LAYOUT.names or ()
        }
        codes, groups = tuple(told["codes"]), tuple(told["groups"])
        return Frame(Columns(arrays), codes, groups, (told["merges"][0], told["merges"][1]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _places(count: int, header: int) -> dict[str, int]:
    """Where each column begins."""
    found, at = {}, header
    for name in LAYOUT.names or ():
        found[name] = at
        at += -(-count * LAYOUT[name].itemsize // ALIGN) * ALIGN
    return found


def _to_file(frame: Frame) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "count": len(frame),
        "codes": frame.codes,
        "groups": frame.groups,
        "merges": frame.merges,
    }
    # room for the length itself and the end of the line
    header = -(-(len(json.dumps(told)) + 40) // ALIGN) * ALIGN
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(told | {"header": header}).encode() + b"\n")
            for column, at in _places(len(frame), header).items():
                file.seek(at)
                file.write(np.ascontiguousarray(frame.rows[column]).data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
