"""Many values as one parameter of PostgreSQL: the text of an array.

The driver writes an array in Python, element by element; of thousands of keys that costs more than
the database's work with them. Here all of them are joined at once.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

Write = Callable[[Any], str]


def written(values: Sequence[Any]) -> str | None:
    """`{1,2,NULL}`; None where it holds what is not written here."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if len(kinds) > 1:
        return None
    write = _WRITERS.get(kinds.pop()) if kinds else str
    if write is None:
        return None
    return "{" + ",".join(["NULL" if one is None else write(one) for one in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_WRITERS: dict[type, Write] = {
    int: str,
    float: repr,
    bool: str,
    str: _quoted,
    date: date.isoformat,
    datetime: datetime.isoformat,
}

__all__ = ["written"]
