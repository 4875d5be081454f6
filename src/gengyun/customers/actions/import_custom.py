"""Custom fields in an import of customers: columns by the fields' names, values as typed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from gengyun.customers.actions.custom_values import write_values
from gengyun.customers.actions.import_kinds import CHANGED, ERROR, SAME, Parser, Planned
from gengyun.customers.calc.columns import Column
from gengyun.customers.calc.custom import PREFIX, Definition, label, read_cell
from gengyun.customers.models import Customer, CustomField
from gengyun.customers.queries.custom_fields import fields_in_use, fields_named, values_of
from gengyun.team.models import User


def columns() -> list[Column]:
    """A header that is the name of a field, or its key, means the field."""
    return [
        Column(field.name, tuple(filter(None, (field.name_zh, field.name_en, field.key))))
        for field in fields_in_use()
    ]


def parsers() -> dict[str, Parser]:
    return {field.name: partial(_read, field.definition) for field in fields_in_use()}


def _read(definition: Definition, cell: Any, header: str) -> Any:
    return read_cell(definition, cell, header)


def plan(planned: Sequence[Planned]) -> None:
    """What would change, beside what `plan_customers` found; an empty cell changes nothing."""
    rows = [row for row in planned if row.outcome != ERROR and _given(row)]
    fields = _fields(rows)
    targets = [row.target for row in rows if row.target is not None]
    held = values_of(targets, list(fields.values()))
    for row in rows:
        before = held.get(row.target or 0, {})
        for name, value in _given(row).items():
            field = fields[name]
            if before.get(field.key) != value:
                definition = field.definition
                row.told[name] = [
                    label(definition, before.get(field.key)),
                    label(definition, value),
                ]
        if row.outcome == SAME and row.told and row.target is not None:
            row.outcome = CHANGED


def write(
    pairs: Iterable[tuple[Customer, Planned]],
    *,
    actor: User | None,
    now: datetime,
    known_at: datetime | None,
) -> None:
    given = [(customer, row) for customer, row in pairs if _given(row)]
    fields = {field.key: field for field in _fields([row for _, row in given]).values()}
    write_values(
        [customer for customer, _ in given],
        {
            customer.pk: {name.removeprefix(PREFIX): value for name, value in _given(row).items()}
            for customer, row in given
        },
        fields=fields,
        actor=actor,
        now=now,
        known_at=known_at,
        action="customer.import",
        quiet=True,
    )


def _given(row: Planned) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name.startswith(PREFIX)}


def _fields(rows: Sequence[Planned]) -> dict[str, CustomField]:
    return fields_named({name for row in rows for name in _given(row)})
