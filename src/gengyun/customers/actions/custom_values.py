"""Writing what customers hold in custom fields: bulk, with audit and history where it is kept."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions.fields import FieldInvalid, FieldMissing, FieldUnknown
from gengyun.customers.actions.scope import all_mine
from gengyun.customers.calc.custom import PREFIX, BadValue, Stored, as_json, clean, label, stored
from gengyun.customers.models import Customer, CustomField, FieldChange, FieldValue
from gengyun.customers.queries.custom_fields import fields_named, values_of
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

BATCH = 1_000
Wanted = Mapping[int, Mapping[str, Any]]  # customer id -> key of a field -> value


@transaction.atomic
def set_values(*, actor: User | None, now: datetime, wanted: Wanted) -> int:
    """Set custom fields of customers; `None` empties. Returns how many customers changed."""
    require(actor, "customer.edit")
    customers = all_mine(actor, [Customer(pk=pk) for pk in wanted])
    fields = usable_fields({key for values in wanted.values() for key in values})
    return write_values(customers, wanted, fields=fields, actor=actor, now=now)


def usable_fields(keys: Iterable[str]) -> dict[str, CustomField]:
    """The fields of these keys; a key that is none, or is retired, is refused."""
    wanted = set(keys)
    found = {field.key: field for field in fields_named(PREFIX + key for key in wanted).values()}
    for key in sorted(wanted):
        if key not in found or found[key].retired_at is not None:
            raise FieldUnknown(field=PREFIX + key)
    return found


def clean_values(fields: Mapping[str, CustomField], values: Mapping[str, Any]) -> dict[str, Any]:
    """Every value in its own type; a refusal names the field."""
    cleaned = {}
    for key, value in values.items():
        field = fields[key]
        try:
            cleaned[key] = clean(field.definition, value)
        except BadValue as bad:
            raise FieldInvalid(field=field.name, value=str(value)[:60]) from bad
        if cleaned[key] is None and field.is_required:
            raise FieldMissing(field=field.name)
    return cleaned


def write_values(
    customers: Sequence[Customer],
    wanted: Wanted,
    *,
    fields: Mapping[str, CustomField],
    actor: User | None,
    now: datetime,
    known_at: datetime | None = None,
    action: str = "customer.set_fields",
    quiet: bool = False,
) -> int:
    """Inside the caller's transaction, on rows the actor may change. No query per customer.

    `known_at`: since when values that were unknown until now are known (an import says so).
    """
    before = values_of([customer.pk for customer in customers], list(fields.values()))
    done: list[tuple[Customer, dict[str, tuple[Any, Any]]]] = []
    for customer in customers:
        held = before.get(customer.pk, {})
        cleaned = clean_values(fields, wanted.get(customer.pk, {}))
        changed = {
            key: (held.get(key), value) for key, value in cleaned.items() if held.get(key) != value
        }
        if changed:
            done.append((customer, changed))
    if not done:
        return 0
    _replace(done, fields)
    _keep_history(done, fields, now, known_at)
    for start in range(0, len(done), BATCH):
        ids = [customer.pk for customer, _ in done[start : start + BATCH]]
        Customer.objects.filter(pk__in=ids).update(updated_at=now)
    record_many(
        actor=actor,
        now=now,
        action=action,
        changes=[(customer, _readable(changed, fields)) for customer, changed in done],
    )
    if not quiet:
        emit("customer.changed", {"customer_ids": [c.pk for c, _ in done]}, now=now)
    return len(done)


Changed = Sequence[tuple[Customer, Mapping[str, tuple[Any, Any]]]]


def _replace(done: Changed, fields: Mapping[str, CustomField]) -> None:
    """Old rows out, new rows in; field by field, since fields are few and customers many."""
    by_key: dict[str, list[int]] = defaultdict(list)
    for customer, changed in done:
        for key, (old, _) in changed.items():
            if old is not None:
                by_key[key].append(customer.pk)
    for key, ids in by_key.items():
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            FieldValue.objects.filter(field=fields[key], customer_id__in=part).delete()
    FieldValue.objects.bulk_create(
        [
            _row(fields[key], customer, place, one)
            for customer, changed in done
            for key, (_, new) in changed.items()
            for place, one in enumerate(stored(fields[key].definition, new))
        ],
        batch_size=BATCH,
    )


def _row(field: CustomField, customer: Customer, place: int, one: Stored) -> FieldValue:
    return FieldValue(
        field=field,
        customer=customer,
        place=place,
        text=one.text,
        number=one.number,
        day=one.day,
    )


def _keep_history(
    done: Changed, fields: Mapping[str, CustomField], now: datetime, known_at: datetime | None
) -> None:
    """A value that replaces a known one is known from now: the past is never rewritten."""
    FieldChange.objects.bulk_create(
        [
            FieldChange(
                customer=customer,
                field=fields[key].name,
                value=as_json(new),
                known_at=max(known_at, customer.known_at) if known_at and old is None else now,
            )
            for customer, changed in done
            for key, (old, new) in changed.items()
            if fields[key].keeps_history
        ],
        batch_size=BATCH,
    )


def _readable(
    changed: Mapping[str, tuple[Any, Any]], fields: Mapping[str, CustomField]
) -> dict[str, Any]:
    """For the audit log: choices by their names."""
    return {
        fields[key].name: [label(fields[key].definition, value) for value in pair]
        for key, pair in changed.items()
    }
