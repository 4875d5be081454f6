"""Customers that a source with the policy "create" brings along, and what group says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from gengyun.customers.actions.history import Change, write_changes, write_new
from gengyun.customers.actions.known import known_since
from gengyun.customers.models import Customer
from gengyun.usage.actions.deliveries import Delivery, instant_of
from gengyun.usage.actions.people import company_of, load_customers
from gengyun.usage.calc.decode import DecodedEvent

SILENT = frozenset({"track", "page", "screen"})  # kinds that say nothing of a customer


@dataclass
class Newcomer:
    """A group id of a creating source: the earliest knowledge of it and what group said."""

    known_at: int
    is_history: bool
    name: str = ""
    industry: str = ""


def admit(deliveries: Iterable[Delivery], *, now: datetime) -> None:
    """Create missing customers and fill in empty names; idempotent, a transaction of its own.

    A customer of a history source counts as known from its earliest event on.
    """
    seen = _collect(deliveries)
    if not seen:
        return
    known = load_customers(seen)
    missing = [external_id for external_id in seen if external_id not in known]
    with transaction.atomic():
        if missing:
            write_new(
                [_customer(external_id, seen[external_id], now) for external_id in missing],
                actor=None,
                now=now,
            )
        _improve({known[key]: seen[key] for key in known}, now=now)


def _collect(deliveries: Iterable[Delivery]) -> dict[str, Newcomer]:
    seen: dict[str, Newcomer] = {}
    latest = 0
    for delivery in deliveries:
        source = delivery.source
        if not source.creates:
            continue
        events = delivery.events
        if (
            not source.is_history
            and delivery.received_at >= latest
            and {event.kind for event in events} <= SILENT
        ):
            # nothing is said of any customer, and those met already are known no later
            events = [event for event in events if event.group_id not in seen]
        for event in events:
            group_id = event.group_id or company_of(event)
            if not group_id:
                continue
            at = event.happened_at if source.is_history else delivery.received_at
            latest = max(latest, at)
            newcomer = seen.get(group_id)
            if newcomer is None:
                newcomer = seen[group_id] = Newcomer(at, source.is_history)
            elif at < newcomer.known_at:
                newcomer.known_at = at
            if event.kind == "group":
                _read_traits(newcomer, event)
    return seen


def _read_traits(newcomer: Newcomer, event: DecodedEvent) -> None:
    try:
        traits = msgspec.json.decode(event.properties or "{}")
    except msgspec.DecodeError:
        return
    if isinstance(traits.get("name"), str):
        newcomer.name = traits["name"].strip()[:200] or newcomer.name
    if isinstance(traits.get("industry"), str):
        newcomer.industry = traits["industry"].strip()[:60] or newcomer.industry


def _customer(external_id: str, newcomer: Newcomer, now: datetime) -> Customer:
    return Customer(
        external_id=external_id,
        name=newcomer.name or external_id,
        industry=newcomer.industry,
        known_at=instant_of(newcomer.known_at),
        created_at=now,
        updated_at=now,
    )


def _improve(known: dict[int, Newcomer], *, now: datetime) -> None:
    """Fill a name that is only the id, an empty industry; move known_at back for history."""
    telling = {pk for pk, n in known.items() if n.name or n.industry}
    history = {pk for pk, n in known.items() if n.is_history}
    known_since({pk: instant_of(known[pk].known_at) for pk in history})
    changes = []
    for customer in Customer.objects.filter(pk__in=telling):
        newcomer = known[customer.pk]
        values: dict[str, str] = {}
        if newcomer.name and customer.name == customer.external_id:
            values["name"] = newcomer.name
        if newcomer.industry and not customer.industry:
            values["industry"] = newcomer.industry
        if values:
            changes.append(Change(customer, values))
    if changes:
        write_changes(changes, actor=None, now=now, action="customer.edit")
