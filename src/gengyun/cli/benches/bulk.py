"""Rows put in as fast as the database takes them, for benches: COPY on PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def insert(model: type, rows: list[dict[str, Any]]) -> None:
    """Insert dictionaries column by column; what a row does not name gets the field's default."""
    from django.db import connection, transaction

    if not rows:
        return
    every = model._meta.concrete_fields  # noqa: SLF001 - Django's documented name
    table = model._meta.db_table  # noqa: SLF001
    fields = [field for field in every if field.column in rows[0]]
    rest = [
        field
        for field in every
        if field.column not in rows[0] and not field.null and not field.primary_key
    ]
    columns = [field.column for field in (*fields, *rest)]
    names = ", ".join(f'"{column}"' for column in columns)
    is_sqlite = connection.vendor == "sqlite"
    plain = _for_sqlite if is_sqlite else _for_copy
    extra = [plain(field.get_default()) for field in rest]
    values = ([plain(row[field.column]) for field in fields] + extra for row in rows)
    with transaction.atomic(), connection.cursor() as cursor:
        if is_sqlite:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values))  # noqa: S608 - our own names
            return
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for one in values:
                copy.write_row(one)


@contextmanager
def without_indexes(*models: type) -> Iterator[None]:
    """The named indexes of the models are built once, after the rows are in."""
    from django.db import connection

    found = [(model, index) for model in models for index in model._meta.indexes]  # noqa: SLF001
    with connection.schema_editor() as editor:
        for model, index in found:
            editor.remove_index(model, index)
    yield
    with connection.schema_editor() as editor:
        for model, index in found:
            editor.add_index(model, index)


def analyze() -> None:
    """What the planner must know of the rows that came in, and which of them are clean."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _for_copy(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _for_sqlite(value: Any) -> Any:
    """As SQLite keeps it: instants without a zone in UTC, days in ISO form, lists as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
