"""Who wants no more messages of a kind: by the link in a message, by a mail program, or noted by a
colleague. Honoured at once: what is planned is looked at again before it leaves."""

from datetime import datetime

from django.db import transaction

from gengyun.customers.models import Contact
from gengyun.engagement.calc.budget import OPERATIONAL
from gengyun.engagement.models import Category, OptOut, Touch
from gengyun.engagement.queries.reach import address_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

CHOICES = (*Category.values, OptOut.ALL)


class OptOutUnknown(Refusal):
    code = "opt_out_unknown"
    message = "Choose a kind of messages."


class LinkUnknown(Refusal):
    code = "unsubscribe_link_unknown"
    status = 404
    message = "This link is not known any more."


def touch_of_link(token: str) -> Touch:
    """The message whose link was opened."""
    if "\x00" in token:  # PostgreSQL takes no such text, not even to look for it
        raise LinkUnknown
    found = Touch.objects.select_related("contact", "customer").filter(token=token).first()
    if found is None or found.contact is None or found.budget_class == OPERATIONAL:
        raise LinkUnknown
    return found


@transaction.atomic
def unsubscribe(*, now: datetime, token: str, category: str = "", source: str = "link") -> OptOut:
    """By the reader, without login: the kind of the message, or another that they choose."""
    touch = touch_of_link(token)
    wanted = category or touch.category
    if wanted not in CHOICES or touch.contact is None:
        raise OptOutUnknown
    address = touch.recipient or address_of(touch.contact)
    return _write(touch.contact, address, wanted, source=source, now=now, touch=touch)


@transaction.atomic
def subscribe_again(*, now: datetime, token: str) -> int:
    """The reader takes it back by the same link. Returns how many opt-outs ended."""
    touch = touch_of_link(token)
    address = touch.recipient or address_of(touch.contact)
    rows = OptOut.objects.filter(ended_at__isnull=True, contact=touch.contact, address=address)
    return rows.exclude(source=OptOut.Source.COMPLAINT).update(ended_at=now)


@transaction.atomic
def opt_out(*, actor: User | None, now: datetime, contact: Contact, category: str) -> OptOut:
    """A colleague notes what the contact said."""
    row = _mine(actor, contact)
    if category not in CHOICES:
        raise OptOutUnknown
    found = _write(
        row, address_of(row), category, source=OptOut.Source.PERSON, now=now, actor=actor
    )
    record(
        actor=actor, now=now, action="contact.opt_out", obj=row, changes={category: [False, True]}
    )
    return found


@transaction.atomic
def opt_in(*, actor: User | None, now: datetime, contact: Contact, category: str) -> int:
    """The contact told us that they want these messages again; every such opt-out of theirs ends,
    also those that stand under the same address elsewhere in the book."""
    row = _mine(actor, contact)
    if category not in CHOICES:
        raise OptOutUnknown
    open_rows = OptOut.objects.filter(ended_at__isnull=True, category=category)
    count = open_rows.filter(contact=row).update(ended_at=now, ended_by=actor)
    if address := address_of(row):
        count += open_rows.filter(address=address).update(ended_at=now, ended_by=actor)
    record(
        actor=actor, now=now, action="contact.opt_in", obj=row, changes={category: [True, False]}
    )
    return count


def complain(*, now: datetime, touch: Touch) -> OptOut | None:
    """Reported as unwanted to a mail provider: nothing more at all, except what is asked for."""
    if touch.contact is None:
        return None
    address = touch.recipient or address_of(touch.contact)
    source = OptOut.Source.COMPLAINT
    return _write(touch.contact, address, OptOut.ALL, source=source, now=now, touch=touch)


def _write(
    contact: Contact, address: str, category: str, *, source: str, now: datetime,
    touch: Touch | None = None, actor: User | None = None,
) -> OptOut:  # fmt: skip
    # the contact's row is the lock: two clicks on the link give one opt-out
    Contact.objects.select_for_update().filter(pk=contact.pk).first()
    same = {"contact": contact, "address": address, "category": category}
    found = OptOut.objects.filter(ended_at__isnull=True, **same).first()
    if found is not None:
        return found
    return OptOut.objects.create(source=source, touch=touch, at=now, by=actor, **same)


def _mine(actor: User | None, contact: Contact) -> Contact:
    require(actor, "touches.write")
    rows = Contact.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.filter(pk=contact.pk).first()
    if row is None:
        raise NotFound
    return row
