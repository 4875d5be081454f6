"""Custom fields and what customers hold in them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Count

from gengyun.customers.calc.custom import PREFIX, Stored, value_of
from gengyun.customers.models import Customer, CustomField, FieldValue
from gengyun.kernel.errors import NotFound

STEP = 5_000


def fields_in_use() -> list[CustomField]:
    """In the order in which they are shown."""
    return list(CustomField.objects.in_use())


def get_field(pk: int) -> CustomField:
    found = CustomField.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def fields_named(names: Iterable[str]) -> dict[str, CustomField]:
    """By name ("custom_" and key), retired ones too: an old view still says what it shows."""
    keys = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
    if not keys:
        return {}
    return {field.name: field for field in CustomField.objects.filter(key__in=keys)}


def values_of(
    customer_ids: Collection[int], fields: Sequence[CustomField]
) -> dict[int, dict[str, Any]]:
    """customer -> key -> value; what is unknown is not there. One query per 5,000 customers."""
    found: dict[int, dict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    by_pk = {field.pk: field.definition for field in fields}
    if not by_pk:
        return {}
    ids = list(customer_ids)
    for start in range(0, len(ids), STEP):
        rows = FieldValue.objects.filter(
            customer_id__in=ids[start : start + STEP], field_id__in=by_pk
        ).order_by("customer_id", "place")
        for customer_id, field_id, text, number, day in rows.values_list(
            "customer_id", "field_id", "text", "number", "day"
        ):
            stored = Stored(text, number, day)
            found[customer_id][by_pk[field_id].key].append(stored)
    by_key = {definition.key: definition for definition in by_pk.values()}
    return {
        customer_id: {key: value_of(by_key[key], rows) for key, rows in held.items()}
        for customer_id, held in found.items()
    }


def values_for(customer: Customer, fields: Sequence[CustomField]) -> dict[str, Any]:
    """key -> value of one customer; what is unknown is not there."""
    return values_of([customer.pk], fields).get(customer.pk, {})


def fill_counts() -> dict[int, int]:
    """field -> how many present customers hold a value."""
    held = FieldValue.objects.filter(place=0, customer__archived_at__isnull=True)
    return dict(held.order_by().values_list("field_id").annotate(count=Count("customer_id")))


def options_used(field: CustomField) -> set[str]:
    """Keys of the options that some customer holds."""
    rows = FieldValue.objects.filter(field=field, text__isnull=False).order_by()
    return {key for key in rows.values_list("text", flat=True).distinct() if key}
