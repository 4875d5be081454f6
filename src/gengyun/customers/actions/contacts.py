"""People at the customer: who they are and whether they are still there."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from gengyun.customers.actions.fields import FieldInvalid, FieldMissing, FieldTooLong, FieldUnknown
from gengyun.customers.actions.scope import mine
from gengyun.customers.calc import phones
from gengyun.customers.models import Contact, Customer
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

LENGTHS = {
    "name": 80,
    "title": 80,
    "email": 254,
    "phone": 40,
    "wecom_id": 80,
    "product_user_id": 200,
    "note": 200,
}


class PhoneInvalid(Refusal):
    code = "phone_invalid"
    message = "“%(value)s” is no telephone number; write 138 0013 8000 or 010-62781234 转 801."


@transaction.atomic
def create_contact(
    *, actor: User | None, now: datetime, customer: Customer, values: Mapping[str, Any]
) -> Contact:
    """`name` is needed; title, part, email, phone, wecom_id, product_user_id, note may follow."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    cleaned = clean({"name": "", **values})
    contact = Contact.objects.create(customer=row, created_at=now, updated_at=now, **cleaned)
    told = {"name": [None, contact.name], "customer": [None, row.name]}
    record(actor=actor, now=now, action="contact.create", obj=contact, changes=told)
    _emit(contact, now)
    return contact


@transaction.atomic
def edit_contact(
    *, actor: User | None, now: datetime, contact: Contact, changes: Mapping[str, Any]
) -> Contact:
    require(actor, "customer.edit")
    row = _mine(actor, contact)
    # a number from before numbers were checked does not stand in the way of other changes
    changed = {
        name: value for name, value in changes.items() if name != "phone" or value != row.phone
    }
    return _write(row, clean(changed), actor, now, "contact.edit")


@transaction.atomic
def mark_left(
    *, actor: User | None, now: datetime, contact: Contact, left_on: date | None
) -> Contact:
    """No longer with the customer; `None` says that they are (back) there."""
    require(actor, "customer.edit")
    return _write(_mine(actor, contact), {"left_on": left_on}, actor, now, "contact.mark_left")


@transaction.atomic
def delete_contact(*, actor: User | None, now: datetime, contact: Contact) -> None:
    require(actor, "customer.edit")
    row = _mine(actor, contact)
    told = {"customer": [row.customer.name, None]}
    record(actor=actor, now=now, action="contact.delete", obj=row, changes=told)
    _emit(row, now)
    row.delete()


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name == "part":
            if value not in Contact.Part.values:
                raise FieldInvalid(field=name, value=value)
            cleaned[name] = value
            continue
        if name not in LENGTHS:
            raise FieldUnknown(field=name)
        text = " ".join(str(value if value is not None else "").split())
        if len(text) > LENGTHS[name]:
            raise FieldTooLong(field=name, limit=LENGTHS[name])
        cleaned[name] = text
    if cleaned.get("name", "-") == "":
        raise FieldMissing(field="name")
    if cleaned.get("phone"):
        cleaned["phone"] = _clean_phone(cleaned["phone"])
    if cleaned.get("email"):
        cleaned["email"] = cleaned["email"].lower()
        try:
            validate_email(cleaned["email"])
        except ValidationError as error:
            raise FieldInvalid(field="email", value=cleaned["email"]) from error
    return cleaned


def _clean_phone(written: str) -> str:
    number = phones.normal_form(written)
    if number is None:
        raise PhoneInvalid(field="phone", value=written)
    if len(number) > LENGTHS["phone"]:
        raise FieldTooLong(field="phone", limit=LENGTHS["phone"])
    return number


def _mine(actor: User | None, contact: Contact) -> Contact:
    rows = Contact.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("customer").filter(pk=contact.pk).first()
    if row is None:
        raise NotFound
    return row


def _write(
    row: Contact, values: dict[str, Any], actor: User | None, now: datetime, action: str
) -> Contact:
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        for name, (_, value) in told.items():
            setattr(row, name, value)
        row.updated_at = now
        row.save(update_fields=[*told, "updated_at"])
        record(actor=actor, now=now, action=action, obj=row, changes=told)
        _emit(row, now)
    return row


def _emit(contact: Contact, now: datetime) -> None:
    emit("customer.changed", {"customer_ids": [contact.customer_id]}, now=now)
