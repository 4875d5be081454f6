"""`field__among=[…]`: one of many thousand values, as one parameter.

`__in` writes a placeholder for each value: SQLite takes only so many, and taking the text apart
costs more than the question. An array on PostgreSQL, a JSON list on SQLite.
"""

import json
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models


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
            return f"{left} = ANY(%s)", (*params, values)
        return f"{left} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(values))  # noqa: S608
