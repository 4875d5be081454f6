"""A person found out what became of a message that was "perhaps sent", and says so."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.engagement.actions.touch_decisions import mine
from gengyun.engagement.actions.touches import tell
from gengyun.engagement.models import Delivery, Touch
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User

State = Touch.State
_OF_DELIVERY = {
    State.SENT: Delivery.State.SENT,
    State.FAILED: Delivery.State.FAILED,
    State.UNSURE: Delivery.State.UNSURE,
}


class NotUnsure(Refusal):
    code = "touch_not_unsure"
    status = 409
    message = "What became of this message is known already."


class NotSettled(Refusal):
    code = "touch_not_settled"
    status = 409
    message = "Nobody has said what became of this message."


@transaction.atomic
def settle(*, actor: User | None, now: datetime, touch: Touch, was_sent: bool) -> Touch:
    """Sent: it goes on counting. Not sent: it counts in no cap any more; it is not sent again by
    itself, whoever wants it writes anew."""
    row = mine(actor, touch)
    if row.state != State.UNSURE:
        raise NotUnsure
    settled: dict[str, Any] = {
        "at": now.isoformat(),
        "by": actor.name if actor is not None else "",
        "left_at": row.sent_at.isoformat() if row.sent_at is not None else None,
    }
    row.told = {**row.told, "settled": settled}
    row.state = State.SENT if was_sent else State.FAILED
    if not was_sent:
        row.sent_at = None
    return _kept(row, actor, now, "touch.settle", State.UNSURE)


@transaction.atomic
def unsettle(*, actor: User | None, now: datetime, touch: Touch) -> Touch:
    """It was said in error: nobody knows again."""
    row = mine(actor, touch)
    settled = row.told.get("settled") if isinstance(row.told, dict) else None
    if row.state not in {State.SENT, State.FAILED} or not isinstance(settled, dict):
        raise NotSettled
    before, left_at = row.state, settled.get("left_at")
    row.told = {name: value for name, value in row.told.items() if name != "settled"}
    row.state = State.UNSURE
    row.sent_at = datetime.fromisoformat(left_at) if left_at else None
    return _kept(row, actor, now, "touch.unsettle", before)


def _kept(row: Touch, actor: User | None, now: datetime, action: str, before: str) -> Touch:
    row.save(update_fields=["state", "told", "sent_at"])
    # so that a worker that comes late does not overrule the person
    Delivery.objects.filter(key=f"touch:{row.token}").update(
        state=_OF_DELIVERY[State(row.state)], lease_until=None
    )
    record(actor=actor, now=now, action=action, obj=row, changes={"state": [before, row.state]})
    tell([row], now=now)
    return row
