"""Writing down what people did with a customer."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.models import Activity
from gengyun.kernel import rows as written
from gengyun.kernel.errors import NotAllowed, NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import can, require

LONGEST = 20_000
AHEAD = timedelta(minutes=5)  # clocks of browser and server differ a little
WRITABLE_KINDS = frozenset(Activity.Kind.values) - {Activity.Kind.SYSTEM}


class ActivityEmpty(Refusal):
    code = "activity_empty"
    message = "There is nothing written yet."


class ActivityTooLong(Refusal):
    code = "activity_too_long"
    message = "The text is longer than %(limit)s characters."


class KindUnknown(Refusal):
    code = "kind_unknown"
    message = "%(kind)s is no kind of activity."


class OutcomeUnknown(Refusal):
    code = "outcome_unknown"
    message = "%(outcome)s is no outcome."


class ActivityInFuture(Refusal):
    code = "activity_in_future"
    message = "An activity cannot have happened in the future."


@transaction.atomic
def log_activity(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    kind: str,
    body: str,
    happened_at: datetime,
    contact_ids: Iterable[int] = (),
    outcome: str = "",
) -> Activity:
    """A call, meeting, message, visit or note. Contacts must be the customer's own."""
    require(actor, "activity.write")
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound
    values = clean(
        {"kind": kind, "body": body, "happened_at": happened_at, "outcome": outcome}, now=now
    )
    contacts = _contacts(customer.pk, contact_ids)
    activity = Activity.objects.create(
        customer_id=customer.pk, author=actor, recorded_at=now, **values
    )
    activity.contacts.set(contacts)
    told = {"kind": [None, kind], "customer": [None, customer.name]}
    record(actor=actor, now=now, action="activity.create", obj=activity, changes=told)
    _emit(activity, now)
    return activity


def note_many(*, now: datetime, notes: Mapping[str, tuple[int, str]]) -> dict[str, int]:
    """What the system itself did, on many timelines at once: key -> (customer, text). The same key
    is written once. Returns key -> the activity.

    Nothing is told: what is worked out from activities leaves the system's own ones out.
    """
    there = Activity.objects.filter(import_key__among=list(notes)).order_by()
    found = {str(key): pk for key, pk in there.values_list("import_key", "pk")}
    rows = [
        Activity(
            customer_id=customer_id,
            kind=Activity.Kind.SYSTEM,
            body=body[:LONGEST],
            happened_at=now,
            recorded_at=now,
            import_key=key,
        )
        for key, (customer_id, body) in notes.items()
        if key not in found
    ]
    written.insert(rows)
    return found | {str(row.import_key): row.pk for row in rows}


@transaction.atomic
def edit_activity(
    *, actor: User | None, now: datetime, activity: Activity, changes: Mapping[str, Any]
) -> Activity:
    """Change kind, body, happened_at, outcome or contact_ids. Only the author or a leader."""
    row = _writable(actor, activity)
    given = dict(changes)
    contact_ids = given.pop("contact_ids", None)
    values = clean(given, now=now)
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if contact_ids is not None:
        before = sorted(row.contacts.values_list("pk", flat=True))
        contacts = _contacts(row.customer_id, contact_ids)
        after = sorted(contact.pk for contact in contacts)
        if before != after:
            row.contacts.set(contacts)
            told["contacts"] = [before, after]
    if told:
        for name, value in values.items():
            setattr(row, name, value)
        row.edited_at = now
        row.save()
        record(actor=actor, now=now, action="activity.edit", obj=row, changes=told)
        _emit(row, now)
    return row


@transaction.atomic
def delete_activity(*, actor: User | None, now: datetime, activity: Activity) -> Activity:
    """Off the timeline; `restore_activity` brings it back."""
    row = _writable(actor, activity)
    return _set_deleted(row, now, actor, now, "activity.delete")


@transaction.atomic
def restore_activity(*, actor: User | None, now: datetime, activity: Activity) -> Activity:
    """Undo of `delete_activity`."""
    row = _writable(actor, activity)
    return _set_deleted(row, None, actor, now, "activity.restore")


def clean(values: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    cleaned = {name: values[name] for name in ("kind", "happened_at", "outcome") if name in values}
    if "body" in values:
        cleaned["body"] = str(values["body"]).strip()
        if not cleaned["body"]:
            raise ActivityEmpty
        if len(cleaned["body"]) > LONGEST:
            raise ActivityTooLong(limit=LONGEST)
    if cleaned.get("kind", Activity.Kind.NOTE) not in WRITABLE_KINDS:
        raise KindUnknown(kind=cleaned["kind"])
    if cleaned.get("outcome") and cleaned["outcome"] not in Activity.Outcome.values:
        raise OutcomeUnknown(outcome=cleaned["outcome"])
    if cleaned.get("happened_at", now) > now + AHEAD:
        raise ActivityInFuture
    return cleaned


def _writable(actor: User | None, activity: Activity) -> Activity:
    """The row, locked. Others' words are changed only by those who lead (and may assign)."""
    row = (
        Activity.objects.visible_to(actor)
        .select_for_update()
        .filter(pk=activity.pk)
        .exclude(kind=Activity.Kind.SYSTEM)
        .first()
    )
    if row is None:
        raise NotFound
    require(actor, "activity.write")
    is_own = actor is None or row.author_id == actor.pk
    if not is_own and actor is not None and not can(actor, "customer.assign"):
        raise NotAllowed
    return row


def _set_deleted(
    row: Activity, value: datetime | None, actor: User | None, now: datetime, action: str
) -> Activity:
    if (row.deleted_at is None) != (value is None):
        row.deleted_at = value
        row.save(update_fields=["deleted_at"])
        record(actor=actor, now=now, action=action, obj=row)
        _emit(row, now)
    return row


def _contacts(customer_id: int, ids: Iterable[int]) -> list[Contact]:
    wanted = set(ids)
    found = list(Contact.objects.filter(customer_id=customer_id, pk__in=wanted))
    if len(found) != len(wanted):
        raise NotFound
    return found


def _emit(activity: Activity, now: datetime) -> None:
    emit("activity.changed", {"customer_ids": [activity.customer_id]}, now=now)
