"""What people do with messages to customers: send or drop a draft, take back a plan. For those that
wait for a yes see `touch_approvals`."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from gengyun.engagement.actions.touches import (
    apply,
    check_text,
    line_of,
    plan,
    queue_deliveries,
    tell,
    text_of,
)
from gengyun.engagement.calc.touching import REJECTED, WITHDRAWN, Decision
from gengyun.engagement.models import Delivery, Touch
from gengyun.engagement.queries.reach import Reach, locked, policy, quiet_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

State = Touch.State
MOST = 200  # drafts approved with one click


class NotADraft(Refusal):
    code = "touch_not_a_draft"
    status = 409
    message = "This is no draft any more."


class NotPlanned(Refusal):
    code = "touch_not_planned"
    status = 409
    message = "Only what has not left can be taken back."


class TextEmpty(Refusal):
    code = "touch_text_empty"
    message = "A message needs a subject and a text."


@transaction.atomic
def approve(
    *, actor: User | None, now: datetime, touch: Touch, subject: str | None = None,
    body: str | None = None,
) -> Touch:  # fmt: skip
    """Send a draft, as it is or as it was changed: planned now, or not sent with the reason."""
    row = _draft(actor, touch)
    if subject is not None or body is not None:
        _edit(row, subject, body)
    planned([row], actor, now)
    record(
        actor=actor, now=now, action="touch.approve", obj=row,
        changes={"state": [State.DRAFT, row.state], "reason": ["", row.reason]},
    )  # fmt: skip
    return row


@transaction.atomic
def approve_many(*, actor: User | None, now: datetime, touch_ids: Sequence[int]) -> list[Touch]:
    """Several drafts at once, as they are; what is no draft any more is left alone."""
    require(actor, "touches.write")
    wanted = sorted(set(touch_ids))[:MOST]
    found = Touch.objects.visible_to(actor).filter(pk__in=wanted, state=State.DRAFT)
    rows = list(found.select_for_update(of=("self",)).order_by("pk"))
    planned(rows, actor, now)
    for row in rows:
        record(
            actor=actor, now=now, action="touch.approve", obj=row,
            changes={"state": [State.DRAFT, row.state], "reason": ["", row.reason]},
        )  # fmt: skip
    return rows


@transaction.atomic
def save_draft(
    *, actor: User | None, now: datetime, touch: Touch, subject: str, body: str
) -> Touch:
    """Change the text of a draft without sending it."""
    row = _draft(actor, touch)
    was = row.subject
    _edit(row, subject, body)
    row.save(update_fields=["subject", "body"])
    record(
        actor=actor, now=now, action="touch.edit", obj=row, changes={"subject": [was, row.subject]}
    )
    return row


@transaction.atomic
def reject(*, actor: User | None, now: datetime, touch: Touch) -> Touch:
    """The draft is not sent."""
    row = _draft(actor, touch)
    apply(row, Decision(reason=REJECTED))
    row.decided_at, row.decided_by = now, actor
    row.save(update_fields=["state", "reason", "told", "due_at", "decided_at", "decided_by"])
    record(
        actor=actor, now=now, action="touch.reject", obj=row,
        changes={"state": [State.DRAFT, row.state]},
    )  # fmt: skip
    tell([row], now=now)
    return row


@transaction.atomic
def restore(*, actor: User | None, now: datetime, touch: Touch) -> Touch:
    """A refused draft is a draft again."""
    row = mine(actor, touch)
    if row.state != State.SUPPRESSED or row.reason != REJECTED:
        raise NotADraft
    row.state, row.reason, row.told = State.DRAFT, "", {}
    row.decided_at = row.decided_by = None
    row.save(update_fields=["state", "reason", "told", "decided_at", "decided_by"])
    record(
        actor=actor, now=now, action="touch.restore", obj=row,
        changes={"state": [State.SUPPRESSED, row.state]},
    )  # fmt: skip
    tell([row], now=now)
    return row


@transaction.atomic
def withdraw(*, actor: User | None, now: datetime, touch: Touch) -> Touch:
    """Take back what is planned; refused once it is on its way."""
    require(actor, "touches.write")
    if not Touch.objects.visible_to(actor).filter(pk=touch.pk).exists():
        raise NotFound
    # the delivery first, as the worker does: neither waits for the other
    waiting = Delivery.objects.filter(key=f"touch:{touch.token}", state=Delivery.State.WAITING)
    # "interrupted": it may have left before the server stopped
    free = waiting.exclude(error_code="interrupted")
    stopped = free.update(state=Delivery.State.DROPPED)
    row = mine(actor, touch)
    if row.state != State.QUEUED or not stopped:
        raise NotPlanned
    apply(row, Decision(reason=WITHDRAWN))
    row.sent_at, row.decided_at, row.decided_by = None, now, actor
    row.save(
        update_fields=["state", "reason", "told", "due_at", "sent_at", "decided_at", "decided_by"]
    )
    record(
        actor=actor, now=now, action="touch.withdraw", obj=row,
        changes={"state": [State.QUEUED, row.state]},
    )  # fmt: skip
    tell([row], now=now)
    return row


def planned(rows: Sequence[Touch], actor: User | None, now: datetime) -> None:
    """Decided by this person: each is queued for its first allowed moment, or held back."""
    contacts, customers = locked(
        {row.contact_id for row in rows if row.contact_id is not None},
        {row.customer_id for row in rows},
        {row.customer_id for row in rows if row.person.startswith("customer:")},
    )
    reach, rules = Reach(customers.values(), contacts.values(), now), policy()
    for row in rows:
        contact = contacts.get(row.contact_id) if row.contact_id is not None else None
        plan(
            row, reach, customers[row.customer_id], contact, at=now, quiet=quiet_of(rules),
            caps=rules.caps,
        )  # fmt: skip
        row.decided_at, row.decided_by = now, actor
        row.save()
    queue_deliveries(rows, now=now)
    tell(rows, now=now)


def _edit(row: Touch, subject: str | None, body: str | None) -> None:
    row.subject = line_of(row.subject if subject is None else subject)
    row.body = text_of(row.body if body is None else body)
    check_text(row.subject, row.body)
    if not row.body or not row.subject:
        raise TextEmpty


def mine(actor: User | None, touch: Touch) -> Touch:
    """Its row, locked; one that the actor does not see is not there."""
    require(actor, "touches.write")
    rows = Touch.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.filter(pk=touch.pk).first()
    if row is None:
        raise NotFound
    return row


def _draft(actor: User | None, touch: Touch) -> Touch:
    row = mine(actor, touch)
    if row.state != State.DRAFT:
        raise NotADraft
    return row
