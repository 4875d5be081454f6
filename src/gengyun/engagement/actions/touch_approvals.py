"""A yes or no to complete messages: they go out by themselves after it, or not, with the reason."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.engagement.actions.touch_decisions import MOST, mine, planned
from gengyun.engagement.actions.touches import apply, tell
from gengyun.engagement.calc.approving import asked_of, decides
from gengyun.engagement.calc.touching import ASKER_ENDED, REFUSED, UNANSWERED, Decision
from gengyun.engagement.models import Touch
from gengyun.kernel.errors import Refusal
from gengyun.kernel.texts import keepable
from gengyun.team.actions.audit import record, record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

State = Touch.State
LONGEST_WHY = 200
TURN = 500
_askers: list[Callable[[Iterable[str]], set[str]]] = []


def asker(ended: Callable[[Iterable[str]], set[str]]) -> Callable[[Iterable[str]], set[str]]:
    """A package above that writes messages says which of its `source`s came to an early end: what
    they wanted sent is not wanted any more."""
    _askers.append(ended)
    return ended


class NotWaiting(Refusal):
    code = "touch_not_waiting"
    status = 409
    message = "This message does not wait for an answer any more."


class NotYoursToDecide(Refusal):
    code = "touch_not_yours_to_decide"
    status = 403
    message = "The leader decides about this message."


class WhyMissing(Refusal):
    code = "touch_why_missing"
    message = "Say why it is not to be sent; the run of the SOP shows it."


@transaction.atomic
def approve(*, actor: User, now: datetime, touch: Touch) -> Touch:
    """Yes: it goes out within the allowed hours and caps, or is held back with the reason."""
    row = _waiting(actor, touch, now)
    _approve([row], actor, now)
    return row


@transaction.atomic
def approve_many(*, actor: User, now: datetime, touch_ids: Sequence[int]) -> list[Touch]:
    """Several at once; what is not this actor's to decide, or is decided, is left alone."""
    require(actor, "touches.write")
    rows = Touch.objects.visible_to(actor).filter(
        pk__in=sorted(set(touch_ids))[:MOST], state=State.APPROVAL,
        approver__in=asked_of(actor.role), answer_by__gt=now,
    )  # fmt: skip
    found = list(rows.select_for_update(of=("self",)).order_by("pk"))
    _approve(found, actor, now)
    return found


def _approve(rows: Sequence[Touch], actor: User, now: datetime) -> None:
    ended = {source for ask in _askers for source in ask([row.source for row in rows])}
    gone = [row for row in rows if row.source in ended]
    for row in gone:
        apply(row, Decision(reason=ASKER_ENDED))
        row.decided_at, row.decided_by = now, actor
        row.save()
    tell(gone, now=now)
    planned([row for row in rows if row.source not in ended], actor, now)
    changes = [
        (row, {"state": [State.APPROVAL, row.state], "reason": ["", row.reason]}) for row in rows
    ]
    record_many(actor=actor, now=now, action="touch.approve", changes=changes)


@transaction.atomic
def refuse(*, actor: User, now: datetime, touch: Touch, why: str) -> Touch:
    """No, and why: the run of the SOP says both."""
    row = _waiting(actor, touch, now)
    said = " ".join(keepable(why).split())[:LONGEST_WHY]
    if not said:
        raise WhyMissing(field="why")
    apply(row, Decision(reason=REFUSED, told={"by": actor.name, "why": said}))
    row.decided_at, row.decided_by = now, actor
    row.save()
    record(
        actor=actor, now=now, action="touch.refuse", obj=row,
        changes={"state": [State.APPROVAL, row.state], "why": ["", said]},
    )  # fmt: skip
    tell([row], now=now)
    return row


@transaction.atomic
def ask_again(*, actor: User, now: datetime, touch: Touch) -> Touch:
    """A refusal taken back: it waits as before, if its time is not over."""
    row = mine(actor, touch)
    if row.state != State.SUPPRESSED or row.reason != REFUSED:
        raise NotWaiting
    _check(actor, row, now)
    row.state, row.reason, row.told = State.APPROVAL, "", {}
    row.decided_at = row.decided_by = None
    row.save()
    record(
        actor=actor, now=now, action="touch.ask_again", obj=row,
        changes={"state": [State.SUPPRESSED, row.state]},
    )  # fmt: skip
    tell([row], now=now)
    return row


def expire(*, now: datetime) -> int:
    """Nobody answered in time: not sent, and said so. In turns, so that no transaction is long."""
    total = 0
    while done := _expire(now):
        total += done
    return total


@transaction.atomic
def _expire(now: datetime) -> int:
    late = Touch.objects.filter(state=State.APPROVAL, answer_by__lte=now)
    rows = list(late.select_for_update(of=("self",)).order_by("pk")[:TURN])
    for row in rows:
        told: dict[str, Any] = {"approver": row.approver}
        if row.answer_by is not None:
            told["answer_by"] = row.answer_by.isoformat()
        apply(row, Decision(reason=UNANSWERED, told=told))
    Touch.objects.bulk_update(rows, ["state", "reason", "told", "due_at"])
    tell(rows, now=now)
    return len(rows)


def _waiting(actor: User, touch: Touch, now: datetime) -> Touch:
    row = mine(actor, touch)
    if row.state != State.APPROVAL:
        raise NotWaiting
    _check(actor, row, now)
    return row


def _check(actor: User, row: Touch, now: datetime) -> None:
    if not decides(actor.role, row.approver):
        raise NotYoursToDecide
    if row.answer_by is not None and row.answer_by <= now:
        raise NotWaiting
