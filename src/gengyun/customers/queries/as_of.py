"""Field values of customers as they were known at the start of a past day."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from gengyun.customers.models import FieldChange
from gengyun.customers.models.customer import TRACKED_FIELDS
from gengyun.kernel.days import start_of

FEW = 500
DAYS = frozenset({"started_on", "renews_on"})


def field_values(
    *,
    fields: Sequence[str],
    as_of: date,
    customer_ids: Collection[int] | None = None,
) -> dict[str, dict[int, Any]]:
    """field -> customer id -> value; a customer without a row had no known value then.

    "Known then" is `known_at` before the day's first instant. Of several values the one that
    became known last counts. Fields are those of `TRACKED_FIELDS`; days come back as `date`.
    """
    unknown = set(fields) - set(TRACKED_FIELDS)
    if unknown:
        raise ValueError(f"no history is kept of {sorted(unknown)}")
    values: dict[str, dict[int, Any]] = {name: {} for name in fields}
    if not fields:
        return values
    changes = FieldChange.objects.filter(field__in=fields, known_at__lt=start_of(as_of))
    # few ids go into the query; many are cheaper to sort out here than to bind as parameters
    wanted = None if customer_ids is None else frozenset(customer_ids)
    if wanted is not None and len(wanted) <= FEW:
        changes = changes.filter(customer_id__in=wanted)
    rows = changes.order_by("known_at", "pk").values_list("field", "customer_id", "value")
    for name, customer_id, value in rows.iterator(chunk_size=20_000):
        if wanted is None or customer_id in wanted:
            values[name][customer_id] = value
    return {name: _known(name, found) for name, found in values.items()}


def _known(name: str, found: dict[int, Any]) -> dict[int, Any]:
    """Without the fields that became unknown again; days as days."""
    known = {pk: value for pk, value in found.items() if value is not None}
    if name in DAYS:
        return {pk: date.fromisoformat(value) for pk, value in known.items()}
    return known
