"""What became of a message that was posted, written once: delivery, touch, channel and address."""

from datetime import datetime, timedelta

from django.db import transaction

from gengyun.engagement.actions.touches import tell
from gengyun.engagement.channels import Outcome
from gengyun.engagement.models import Channel, Delivery, MailAddress, Touch

MAX_ATTEMPTS = 30  # with an hour between the later ones: more than a day
LONGEST_PAUSE = 3600.0
State = Delivery.State
_TOUCH_STATE = {
    "sent": Touch.State.SENT,
    "failed": Touch.State.FAILED,
    "unsure": Touch.State.UNSURE,
}
_DELIVERY_STATE = {"sent": State.SENT, "failed": State.FAILED, "unsure": State.UNSURE}


@transaction.atomic
def settle_letter(
    row: Delivery, touch: Touch, channel: Channel, outcome: Outcome, *, now: datetime
) -> None:
    """Our knowledge wins over "perhaps sent" that another worker noted while we waited long."""
    held = Delivery.objects.filter(
        pk=row.pk, batch=row.batch, state__in=[State.POSTING, State.UNSURE]
    )
    again_at = _again_at(row, outcome, now)
    state = State.WAITING if again_at is not None else _state(outcome)
    changes = {
        "state": state,
        "lease_until": None,
        "due_at": again_at or row.due_at,
        "provider_id": outcome.provider_id[:200],
        "error_code": outcome.error_code[:40],
        "error_text": outcome.error_text[:200],
        "error_said": outcome.said[:200] if outcome.status != "sent" else "",
        "sent_at": now if outcome.status == "sent" else None,
    }
    if not held.update(**changes):
        return
    if again_at is not None:
        Touch.objects.filter(pk=touch.pk).update(
            state=Touch.State.QUEUED, sent_at=None, due_at=again_at
        )
    else:
        _settle_touch(touch, outcome, now)
    if outcome.is_dead and touch.recipient:
        _mark_dead(touch.recipient, outcome.said, now)
    if not outcome.of_recipient:
        _note_channel(channel, outcome, again_at, now)


def _state(outcome: Outcome) -> str:
    return str(_DELIVERY_STATE.get(outcome.status, State.FAILED))


def _again_at(row: Delivery, outcome: Outcome, now: datetime) -> datetime | None:
    if outcome.status != "later" or row.attempts >= MAX_ATTEMPTS:
        return None
    pause = min(outcome.retry_after * 2.0 ** min(max(row.attempts - 1, 0), 10), LONGEST_PAUSE)
    return now + timedelta(seconds=max(pause, outcome.retry_after))


def _settle_touch(touch: Touch, outcome: Outcome, now: datetime) -> None:
    state = _TOUCH_STATE.get(outcome.status, Touch.State.FAILED)
    told = {}
    if state != Touch.State.SENT:
        told = {
            "code": outcome.error_code[:40],
            "text": outcome.error_text[:200],
            "said": outcome.said[:200],
        }
    changes: dict[str, object] = {"state": state, "reason": "", "told": told}
    if state == Touch.State.FAILED:
        changes["sent_at"] = None  # it never arrived: it does not count
    Touch.objects.filter(pk=touch.pk).update(**changes)
    tell([touch], now=now)


def _mark_dead(address: str, said: str, now: datetime) -> None:
    row, _ = MailAddress.objects.get_or_create(address=address)
    row.hard_bounced_at, row.said = now, said[:200]
    row.save(update_fields=["hard_bounced_at", "said"])


def _note_channel(
    channel: Channel, outcome: Outcome, again_at: datetime | None, now: datetime
) -> None:
    of_channel = Channel.objects.filter(pk=channel.pk)
    if outcome.status == "sent":
        of_channel.update(
            last_sent_at=now, failed_at=None, error_code="", error_text="", error_said="",
            paused_until=None,
        )  # fmt: skip
        return
    of_channel.update(
        failed_at=now,
        error_code=outcome.error_code[:40],
        error_text=outcome.error_text[:200],
        error_said=outcome.said[:200],
        paused_until=again_at,
    )
