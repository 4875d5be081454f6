"""A place in a sorted list, as a link carries it: the value of the sort and the key of a row.

The next page begins behind the row, the page before ends in front of it, whatever came or went in
between. Nothing in it is secret and a made-up place is as good as any other; what is no place in
this order is refused.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gengyun.kernel.errors import Refusal

LONGEST = 2_000  # characters of a link; the longest name gives some 1,500
LARGEST = 2**63 - 1


class BadCursor(Refusal):
    code = "bad_cursor"
    message = "This link does not say a place in the list. Begin at the first page."


@dataclass(frozen=True)
class Place:
    """The row with this value of the sort and this key, whether it is there still or not."""

    sort: str
    value: Any  # None: the row has no value and stands among the last
    key: int


def written(place: Place) -> str:
    """For a link: URL-safe, and bound to the order it was made for."""
    value = place.value
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    raw = json.dumps([place.sort, value, place.key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def read(text: str, *, sort: str, kind: str) -> Place:
    """The place that the link says, for a list in this order; refuses everything else."""
    if len(text) > LONGEST:
        raise BadCursor
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        made_for, value, key = json.loads(raw)
        if made_for != sort or type(key) is not int or not 0 <= key <= LARGEST:
            raise BadCursor
        return Place(sort, None if value is None else _READERS[kind](value), key)
    except (ValueError, TypeError, OverflowError, ArithmeticError, RecursionError):
        raise BadCursor from None


def _text(value: Any) -> str:
    # a NUL fits no text of PostgreSQL, half a surrogate pair no encoding at all
    if not isinstance(value, str) or "\0" in value:
        raise BadCursor
    value.encode()
    return value


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) > LARGEST:
        raise BadCursor
    return value


def _float(value: Any) -> float:
    if type(value) not in {int, float} or not abs(value) < 1e300:  # NaN fails too
        raise BadCursor
    return float(value)


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise BadCursor
    return found.astimezone(UTC)


def _decimal(value: Any) -> Decimal:
    found = Decimal(_text(value))
    if not found.is_finite() or abs(found) >= Decimal(10) ** 20:
        raise BadCursor
    return found


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int": _int,
    "float": _float,
    "day": lambda value: date.fromisoformat(_text(value)),
    "instant": _instant,
    "decimal": _decimal,
}
