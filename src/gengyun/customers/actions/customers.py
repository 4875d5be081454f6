"""What is done to a customer. Every verb: one transaction, an audit row, events after the commit.

Values: external_id, name, uscc, industry, region, edition, currency, next_step (text); arr_minor,
seats (int or None); started_on, renews_on, next_step_on (date or None); owner, parent, tier, stage
(rows or None); tags (names, on creation); custom (key of a custom field -> value, see
`calc.custom`).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions import fields, governed
from gengyun.customers.actions.custom_values import usable_fields, write_values
from gengyun.customers.actions.history import Change, Frame, write_changes, write_new
from gengyun.customers.actions.journeys import move_stage
from gengyun.customers.actions.scope import all_mine, mine
from gengyun.customers.actions.tags import tag, untag, write_tags
from gengyun.customers.calc.tiering import FIELDS as TIERING_FIELDS
from gengyun.customers.calc.tiering import tier_for
from gengyun.customers.models import Customer, Tier
from gengyun.customers.queries.merges import merged_into
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.models import User
from gengyun.team.queries.access import require

__all__ = [
    "archive_customer",
    "assign_owner",
    "clear_manual_tier",
    "create_customer",
    "create_customers",
    "edit_customer",
    "move_stage",
    "new_external_id",
    "restore_customer",
    "set_next_step",
    "set_tier_manually",
    "tag",
    "untag",
]
EDITABLE = frozenset(
    {
        "external_id",
        "name",
        "uscc",
        "industry",
        "region",
        "parent",
        "owner",
        "arr_minor",
        "currency",
        "seats",
        "edition",
        "started_on",
        "renews_on",
        "next_step",
        "next_step_on",
    }
)


class ReasonMissing(Refusal):
    code = "reason_missing"
    message = "A tier set by hand needs a reason."


class PartOfAnother(Refusal):
    code = "part_of_another"
    status = 409
    message = "This customer is part of another; take the merge back instead."


class DayPast(Refusal):
    code = "day_past"
    message = "%(day)s is past already."


def new_external_id() -> str:
    """For a customer that no other system has named yet."""
    return f"gy_{secrets.token_hex(6)}"


@transaction.atomic
def create_customer(
    *,
    actor: User | None,
    now: datetime,
    values: Mapping[str, Any],
    known_at: datetime | None = None,
) -> Customer:
    """`name` is needed. Without a tier the rules give one; CSM and leader own what they create."""
    require(actor, "customer.create")
    given = dict(values)
    names: Sequence[str] = given.pop("tags", None) or ()
    custom: Mapping[str, Any] = given.pop("custom", None) or {}
    given["owner"] = fields.owner_for_new(actor, given)
    fields.check_parent(actor, given.get("parent"))
    fields.check_stage(given.get("stage"), given.get("tier"))
    if not given.get("external_id"):
        given["external_id"] = new_external_id()
    cleaned = fields.clean({"name": "", **given})
    fields.check_external_id(cleaned["external_id"])
    customer = Customer(**cleaned, known_at=known_at or now, created_at=now, updated_at=now)
    write_new([customer], actor=actor, now=now)
    if names:
        write_tags([customer], add=names, actor=actor, now=now)
    _write_custom(customer, custom, actor=actor, now=now)
    return customer


@transaction.atomic
def create_customers(
    *, actor: User | None, now: datetime, rows: Sequence[Mapping[str, Any]]
) -> list[Customer]:
    """Many at once, for arriving events; a row is values plus `known_at`. Present ids are skipped.

    Returns the rows that were created.
    """
    require(actor, "customer.create")
    wanted = {str(row["external_id"]): row for row in rows}
    present = _present_ids(list(wanted))
    customers = []
    for external_id, row in wanted.items():
        if external_id in present:
            continue
        given = {name: value for name, value in row.items() if name != "known_at"}
        given["owner"] = fields.owner_for_new(actor, given)
        cleaned = fields.clean({"name": external_id, **given})
        known_at = row.get("known_at") or now
        customers.append(Customer(**cleaned, known_at=known_at, created_at=now, updated_at=now))
    write_new(customers, actor=actor, now=now)
    return customers


@transaction.atomic
def edit_customer(
    *, actor: User | None, now: datetime, customer: Customer, changes: Mapping[str, Any]
) -> Customer:
    """Change fields. Tier and stage have their own verbs; a new owner needs `customer.assign`."""
    require(actor, "customer.edit")
    changes = dict(changes)
    custom: Mapping[str, Any] = changes.pop("custom", None) or {}
    for name in changes:
        if name not in EDITABLE:
            raise fields.FieldUnknown(field=name)
    row = mine(actor, customer)
    values = fields.clean(changes)
    if values.get("owner_id", row.owner_id) != row.owner_id:
        require(actor, "customer.assign")
        fields.check_owner(changes["owner"])
    if "external_id" in values:
        fields.check_external_id(values["external_id"], besides=row)
    if "parent" in changes:
        fields.check_parent(actor, changes["parent"], child=row)
    old_id = row.external_id
    governed.refuse_changes([row], {row.pk: values})
    _write_one(row, values, actor=actor, now=now, action="customer.edit")
    _write_custom(row, custom, actor=actor, now=now)
    if row.external_id != old_id:
        told = {"customer_ids": [row.pk], "external_ids": [row.external_id]}
        emit("customer.id_changed", told, now=now)  # events may wait for the new id
    return row


@transaction.atomic
def assign_owner(
    *, actor: User | None, now: datetime, customers: Iterable[Customer], owner: User | None
) -> int:
    """Give customers to an owner (or to nobody); returns how many changed hands."""
    require(actor, "customer.assign")
    fields.check_owner(owner)
    rows = all_mine(actor, customers)
    owner_id = None if owner is None else owner.pk
    done = write_changes(
        [Change(row, {"owner_id": owner_id}) for row in rows],
        actor=actor,
        now=now,
        action="customer.assign",
    )
    return len(done)


@transaction.atomic
def set_tier_manually(
    *,
    actor: User,
    now: datetime,
    customer: Customer,
    tier: Tier,
    reason: str,
    until: date | None = None,
) -> Customer:
    """From now on the rules leave this customer alone, until the day `until` begins."""
    require(actor, "customer.assign")
    row = mine(actor, customer)
    if not reason.strip():
        raise ReasonMissing
    if until is not None and until <= day_of(now):
        raise DayPast(day=until.isoformat())
    values = fields.clean({"tier": tier, "tier_reason": reason, "tier_until": until})
    values["tier_set_by_id"] = actor.pk  # this marks the tier as manual
    return _write_one(row, values, actor=actor, now=now, action="customer.set_tier")


@transaction.atomic
def clear_manual_tier(*, actor: User | None, now: datetime, customer: Customer) -> Customer:
    """Give the customer back to the rules, which place it at once."""
    require(actor, "customer.assign")
    row = mine(actor, customer)
    done = write_changes(
        [back_to_rules(row, Frame.load())], actor=actor, now=now, action="customer.clear_tier"
    )
    return done[0].customer if done else row


@transaction.atomic
def set_next_step(
    *, actor: User | None, now: datetime, customer: Customer, text: str, on: date | None = None
) -> Customer:
    """What is done next and when; an empty text says that the step is done."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    values = fields.clean({"next_step": text, "next_step_on": on if text.strip() else None})
    return _write_one(row, values, actor=actor, now=now, action="customer.set_next_step")


@transaction.atomic
def archive_customer(*, actor: User | None, now: datetime, customer: Customer) -> Customer:
    """Out of every list; history and events stay."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    if row.archived_at is not None:
        return row
    return _write_one(row, {"archived_at": now}, actor=actor, now=now, action="customer.archive")


@transaction.atomic
def restore_customer(*, actor: User | None, now: datetime, customer: Customer) -> Customer:
    require(actor, "customer.edit")
    row = mine(actor, customer)
    if merged_into(row.pk) is not None:
        raise PartOfAnother
    return _write_one(row, {"archived_at": None}, actor=actor, now=now, action="customer.restore")


def back_to_rules(customer: Customer, frame: Frame) -> Change:
    """The change that takes a manual tier off and lets the rules place the customer."""
    placed = tier_for({name: getattr(customer, name) for name in TIERING_FIELDS}, frame.rules)
    values: dict[str, Any] = {"tier_set_by_id": None, "tier_reason": "", "tier_until": None}
    if placed is not None:
        values["tier_id"] = placed
    return Change(customer, values)


def _write_one(
    row: Customer, values: dict[str, Any], *, actor: User | None, now: datetime, action: str
) -> Customer:
    write_changes([Change(row, values)], actor=actor, now=now, action=action)
    return row


def _write_custom(
    row: Customer, values: Mapping[str, Any], *, actor: User | None, now: datetime
) -> None:
    if values:
        write_values([row], {row.pk: values}, fields=usable_fields(values), actor=actor, now=now)


def _present_ids(external_ids: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(external_ids), 5_000):
        part = external_ids[start : start + 5_000]
        rows = Customer.objects.filter(external_id__in=part)
        found.update(rows.values_list("external_id", flat=True))
    return found
