"""Many rows at once without the ORM's statements: COPY on PostgreSQL, one prepared statement on
SQLite.

For work on thousands of rows, where building SQL costs more than the database's own work. Model
instances go in and keep their meaning: what the ORM would store is stored, nothing is signalled
(neither does `bulk_create`), and errors are Django's. A JSON field also takes `msgspec.Raw`: text
that is JSON already.
"""

# ruff: noqa: SLF001 - `_meta` and `_state` are Django's documented names
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from msgspec import Raw

from gengyun.kernel import arrays

Plain = Callable[[Any], Any]
_TEXTS = frozenset({"CharField", "TextField", "SlugField"})
_WHOLE = frozenset(
    {"AutoField", "BigAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField",
     "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"}
)  # fmt: skip


def insert(rows: Sequence[models.Model]) -> None:
    """New rows of one model, each with its key afterwards. One that is there already is an
    `IntegrityError`, and none of them is written."""
    if not rows:
        return
    model = type(rows[0])
    key = model._meta.pk
    # in a transaction of its own or the caller's: on SQLite nobody else takes a key meanwhile
    with transaction.atomic(savepoint=False):
        fresh = [row for row in rows if row.pk is None]
        for row, pk in zip(fresh, _keys(model, len(fresh)), strict=True):
            setattr(row, key.attname, pk)
        fields = model._meta.concrete_fields
        plains = [(field.attname, _plain(field)) for field in fields]
        _refer(rows, [field for field in fields if isinstance(field, models.ForeignKey)])
        values = (tuple(plain(getattr(row, name)) for name, plain in plains) for row in rows)
        _write(model, fields, values)
    for row in rows:
        row._state.adding = False  # as bulk_create leaves it
        row._state.db = connection.alias


def _refer(rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    """A row may have been made for another that had no key yet: it has one by now, as
    `bulk_create` would find."""
    for field in fields:
        for row in rows:
            if getattr(row, field.attname) is None and field.is_cached(row):
                other = field.get_cached_value(row)
                if other is not None:
                    setattr(row, field.attname, getattr(other, field.target_field.attname))


def insert_values(
    model: type[models.Model], names: Sequence[str], values: Sequence[Sequence[Any]]
) -> None:
    """The same for rows that nobody needs again: the values of these columns ("task_id"), the
    others get their fields' defaults."""
    if not values:
        return
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    given = [by_name[name] for name in names]
    rest = [field for name, field in by_name.items() if name not in names and not field.primary_key]
    plains = [_plain(field) for field in given]
    defaults = tuple(_plain(field)(field.get_default()) for field in rest)
    with transaction.atomic(savepoint=False):
        _write(
            model,
            [*given, *rest],
            (
                (*(plain(value) for plain, value in zip(plains, row, strict=True)), *defaults)
                for row in values
            ),
        )


def update(model: type[models.Model], rows: Sequence[Any], names: Sequence[str]) -> None:
    """Write these fields of rows of the model that are there, each row its own values. Whatever has
    a `pk` and the columns by their names is a row."""
    if not rows:
        return
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    plains = [(field.attname, _plain(field)) for field in fields]
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    columns = [_quoted(field.column) for field in fields]
    values = [(*(plain(getattr(row, name)) for name, plain in plains), row.pk) for row in rows]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            sets = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(f"UPDATE {table} SET {sets} WHERE {key} = %s", values)  # noqa: S608
            return
        types = [field.db_type(connection) for field in (*fields, model._meta.pk)]
        lists = ", ".join(f"%s::{_bare(name)}[]" for name in types)
        sets = ", ".join(f"{column} = new_{n}" for n, column in enumerate(columns))
        given = ", ".join([*(f"new_{n}" for n in range(len(columns))), "given_key"])
        cursor.execute(
            f"UPDATE {table} SET {sets} FROM unnest({lists}) AS given({given}) "  # noqa: S608
            f"WHERE {table}.{key} = given_key",
            _columns(values),
        )


def put(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """New rows with keys of their own; of those that are there already these fields are written."""
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    plains = [(field.attname, _plain(field)) for field in fields]
    values = [tuple(plain(getattr(row, name)) for name, plain in plains) for row in rows]
    wanted = frozenset(names)
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    columns = ", ".join(_quoted(field.column) for field in fields)
    written = [_quoted(field.column) for field in fields if field.name in wanted]
    sets = ", ".join(f"{column} = excluded.{column}" for column in written)
    after = f"ON CONFLICT ({key}) DO UPDATE SET {sets}"
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks}) {after}",  # noqa: S608
                values,
            )
            return
        types = [_bare(field.db_type(connection)) for field in fields]
        lists = ", ".join(f"%s::{name}[]" for name in types)
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({lists}) {after}",  # noqa: S608
            _columns(values),
        )


def _write(
    model: type[models.Model], fields: Sequence[models.Field[Any, Any]], values: Any
) -> None:
    table = _quoted(model._meta.db_table)
    columns = [_quoted(field.column) for field in fields]
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values))  # noqa: S608
            return
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in values:
                copy.write_row(row)


def _columns(values: Sequence[Sequence[Any]]) -> list[Any]:
    """Column by column, each an array."""
    found = [list(column) for column in zip(*values, strict=True)]
    return [arrays.written(column) or column for column in found]


def _keys(model: type[models.Model], many: int) -> Sequence[int]:
    """Keys that nobody else gets."""
    table, column = model._meta.db_table, model._meta.pk.column
    if not many:
        return ()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [_quoted(table), column, many],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        first = (found[0] if found else 0) + 1
        return range(first, first + many)


def _quoted(name: str | None) -> str:
    return str(connection.ops.quote_name(name or ""))


def _bare(name: str | None) -> str:
    """A serial column is an integer to a value."""
    return {"serial": "integer", "bigserial": "bigint"}.get(name or "", name or "text")


@lru_cache(maxsize=1_000)
def _plain(field: models.Field[Any, Any]) -> Plain:
    """A field's value as the driver takes it, the same that the ORM would send."""
    kind = _kept_as(field).get_internal_type()
    is_sqlite = connection.vendor == "sqlite"
    if isinstance(field, models.JSONField):
        return _json(field.encoder)
    plains: dict[str, Plain] = {
        **dict.fromkeys(_TEXTS, _text),
        **dict.fromkeys(_WHOLE, _whole),
        "DateTimeField": _instant if is_sqlite else _same,
        "DateField": _text if is_sqlite else _same,
        "FloatField": _same,
        "BooleanField": _same,
    }
    return plains.get(kind) or (lambda value: field.get_db_prep_save(value, connection))


def _kept_as(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """A reference holds a key of the other table."""
    return field.target_field if isinstance(field, models.ForeignKey) else field


def _json(encoder: type[json.JSONEncoder] | None) -> Plain:
    def plain(value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, Raw):
            return bytes(value).decode()
        return json.dumps(value, cls=encoder) if value != {} else "{}"

    return plain


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str | None:
    """Also of a choice, which is a text and more."""
    return None if value is None else str(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _instant(value: datetime | None) -> str | None:
    """As SQLite keeps it: in UTC, without saying so."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))


__all__ = ["insert", "insert_values", "put", "update"]
