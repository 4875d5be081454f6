"""Field values of customers as they were known at the start of a past day."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from gengyun.customers.calc.custom import PREFIX
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
    became known last counts. Fields are those of `TRACKED_FIELDS`, whose days come back as `date`,
    and custom fields that keep their history ("custom_" and key), as JSON.
    """
    unknown = {name for name in set(fields) - set(TRACKED_FIELDS) if not name.startswith(PREFIX)}
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
    elif wanted:
        changes = changes.filter(customer_id__gte=min(wanted), customer_id__lte=max(wanted))
    rows = changes.order_by("known_at", "pk").values_list("field", "customer_id", "value")
    for name, customer_id, value in rows.iterator(chunk_size=20_000):
        if wanted is None or customer_id in wanted:
            values[name][customer_id] = value
    return {name: _known(name, found) for name, found in values.items()}


def field_values_on(
    *, fields: Sequence[str], as_ofs: Sequence[date], customer_ids: Collection[int]
) -> Iterator[tuple[date, dict[str, dict[int, Any]]]]:
    """(day, as `field_values` gives it) for each of `as_ofs`, ascending, in one reading.

    The dicts are the same objects from day to day: use them before asking for the next day.
    """
    days = sorted(as_ofs)
    if len(days) < 2 or not fields:
        for day in days:
            yield day, field_values(fields=fields, as_of=day, customer_ids=customer_ids)
        return
    changes = FieldChange.objects.filter(field__in=fields, known_at__lt=start_of(days[-1]))
    rows = list(
        changes.order_by("known_at", "pk").values_list("known_at", "field", "customer_id", "value")
    )
    wanted = frozenset(customer_ids)
    values: dict[str, dict[int, Any]] = {name: {} for name in fields}
    place = 0
    for day in days:
        start = start_of(day)
        while place < len(rows) and rows[place][0] < start:
            _, name, customer_id, value = rows[place]
            place += 1
            if customer_id not in wanted:
                continue
            if value is None:
                values[name].pop(customer_id, None)
            else:
                values[name][customer_id] = date.fromisoformat(value) if name in DAYS else value
        yield day, values


def _known(name: str, found: dict[int, Any]) -> dict[int, Any]:
    """Without the fields that became unknown again; days as days."""
    known = {pk: value for pk, value in found.items() if value is not None}
    if name in DAYS:
        return {pk: date.fromisoformat(value) for pk, value in known.items()}
    return known
