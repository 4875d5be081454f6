"""`field__among=[…]`: one of many thousand values, as one parameter.

`__in` writes a placeholder for each value: SQLite takes only so many, and taking the text apart
costs more than the question. An array on PostgreSQL, a JSON list on SQLite.
"""

import json
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models

from gengyun.kernel import arrays

_LARGEST = 2**63


class Among(models.Lookup):
    """Of integers and texts; nothing is among none."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        values = list(self.rhs)
        if not values:
            raise EmptyResultSet  # Django asks nothing then
        left, params = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            kind, text = _written(values)
            if text is None:
                return f"{left} = ANY(%s)", (*params, values)
            return f"{left} = ANY(%s::{kind}[])", (*params, text)
        return f"{left} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(values))  # noqa: S608


def _written(values: list[Any]) -> tuple[str, str | None]:
    """As an array of one kind; None: the driver has to find out what they are."""
    first = type(values[0])
    if first is str:
        return "text", arrays.written(values)
    if first is int and (text := arrays.written(values)) is not None:
        return "bigint", text if -_LARGEST <= min(values) <= max(values) < _LARGEST else None
    return "", None
