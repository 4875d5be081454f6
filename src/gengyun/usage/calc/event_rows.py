"""Rows of a file as tracked events: which column is what, and the event each row makes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Any

import msgspec

# field -> headers that mean it, lower case, without spaces, dashes and underscores
SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "time", "timestamp", "ts", "tsutc", "happenedat", "occurredat", "eventtime", "datetime",
        "createdat", "originaltimestamp", "时间", "发生时间", "事件时间", "时间戳",
    ),
    "customer": (
        "customer", "customerid", "account", "accountid", "group", "groupid", "org", "orgid",
        "organization", "organizationid", "organisationid", "company", "companyid", "tenant",
        "tenantid", "workspaceid", "客户", "客户编号", "客户id", "企业", "企业id", "企业编号",
        "租户id",
    ),
    "user": (
        "user", "userid", "uid", "member", "memberid", "distinctid", "用户", "用户id", "用户编号",
        "账号", "成员",
    ),
    "event": (
        "event", "eventname", "action", "eventtype", "事件", "事件名", "事件名称", "动作", "行为",
    ),
    "message": ("messageid", "eventid", "insertid", "uuid", "事件id", "消息id"),
}  # fmt: skip
FIELDS = tuple(SYNONYMS)
NOBODY = "import:nobody"  # the visitor of rows without a user
# columns that an error file adds: importing the mended file must not make properties of them
ADDED = ("_line", "_reason", "_detail")
REQUIRED = ("time", "customer", "event")

# what CSV holds as text and means as a number; "007" and "+86…" stay text: they are ids
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_FORMULA = re.compile(r"[=+\-@\t\r]")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d{1,15}")


class BadRow(Exception):
    """The row makes no event; `reason` as in `QuarantinedEvent.Reason`."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


def suggest(headers: Sequence[str]) -> dict[str, str]:
    """header -> field for the headers that are known; the first header of a field wins."""
    found: dict[str, str] = {}
    for header in headers:
        plain = re.sub(r"[\s_\-]+", "", header).lower()
        for field, names in SYNONYMS.items():
            if plain in names and field not in found.values():
                found[header] = field
    return found


class RowReader:
    """Makes the wire's JSON of rows. Identical rows of one file are told apart by counting."""

    def __init__(self, mapping: Mapping[str, str], *, zone: tzinfo) -> None:
        self.column = {field: header for header, field in mapping.items()}
        self.mapped = {*mapping, *ADDED}
        self.zone = zone
        self.seen: dict[bytes, int] = {}

    def after(self, other: "RowReader") -> "RowReader":
        """Go on counting identical rows where another file's reader stopped."""
        self.seen = other.seen
        return self

    def event(self, row: Mapping[str, Any]) -> bytes:
        """One row as a track event. BadRow when the time cannot be read.

        Every column that is not mapped becomes a property; empty cells say nothing. Without a
        column for the message id it is made of the row's content: importing the same file again
        gives the same ids.
        """
        row = {header: unguarded(cell) for header, cell in row.items()}
        properties = {
            header: value
            for header, cell in row.items()
            if header not in self.mapped and (value := property_of(cell)) is not None
        }
        event: dict[str, Any] = {
            "type": "track",
            "event": self._text(row, "event"),
            "timestamp": self._time(row),
            "context": {"groupId": self._text(row, "customer")},
        }
        user = self._text(row, "user")
        # a file without users is still usage: a visitor nobody knows
        event["userId" if user else "anonymousId"] = user or NOBODY
        if properties:
            event["properties"] = properties
        event["messageId"] = self._text(row, "message") or self._message(event)
        return msgspec.json.encode(event)

    def _text(self, row: Mapping[str, Any], field: str) -> str:
        header = self.column.get(field)
        cell = None if header is None else row.get(header)
        return "" if cell is None else str(cell).strip()

    def _time(self, row: Mapping[str, Any]) -> str | float:
        cell = row.get(self.column["time"])
        if cell is None or cell == "":
            raise BadRow("bad_time", "the time is empty")
        return time_of(cell, self.zone)

    def _message(self, event: dict[str, Any]) -> str:
        digest = blake2b(msgspec.json.encode(event, order="sorted"), digest_size=16).digest()
        times = self.seen[digest] = self.seen.get(digest, 0) + 1
        return f"row:{digest.hex()}:{times}"


def guarded(cell: object) -> object:
    """For the error file: text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(cell, str) and _FORMULA.match(cell) and property_of(cell) == cell:
        return f"'{cell}"
    return cell


def unguarded(cell: object) -> object:
    """The cell without the quote of `guarded`."""
    if isinstance(cell, str) and cell[:1] == "'" and _FORMULA.match(cell, 1):
        return cell[1:]
    return cell


def time_of(cell: object, zone: tzinfo) -> str | float:
    """The time as the wire writes it; text without a zone is meant in `zone`."""
    if isinstance(cell, datetime):
        instant = cell if cell.tzinfo else cell.replace(tzinfo=zone)
        return instant.astimezone(UTC).isoformat()
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    text = str(cell).strip()
    if _INTEGER.fullmatch(text) and len(text) >= 9:  # seconds or milliseconds since 1970
        return int(text)
    try:
        instant = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise BadRow("bad_time", f"{text[:60]!r} is not a time") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    try:
        return instant.astimezone(UTC).isoformat()
    except OverflowError:
        raise BadRow("bad_time", f"{text[:60]!r} is out of range") from None


def property_of(cell: object) -> object | None:
    """The value of a cell, None for an empty one; numbers that CSV holds as text become numbers."""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return cell if text else None  # text stays as it is, as a client would send it
