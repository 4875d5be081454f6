"""Sending what waits: claimed by one worker, posted outside any transaction, settled once.

waiting -> taken (ours by one conditional UPDATE) -> posting (committed right before the network
call) -> sent. Killed while taken, the next worker starts over: nothing has left. Killed while
posting, it may have left: where the receiver drops repeats (mail, webhook) it is posted again
under the same id; a robot's message becomes "perhaps sent" and is left to a person, because a
message that comes twice teaches people to look away.
"""

import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from gengyun.engagement.calc.messages import Item, compose
from gengyun.engagement.channels import KINDS, Outcome, Target, box
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel import faults
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

log = logging.getLogger(__name__)

BATCH = 50  # notices in one message; beyond 20 they are counted, not listed
LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
LONGEST_PAUSE = 3600.0
State = Delivery.State


class NothingToSend(Refusal):
    code = "nothing_to_send"
    message = "Only what failed, or was perhaps sent, can be sent again."


def queue(
    *,
    now: datetime,
    channel: Channel,
    key: str,
    item: Item,
    due_at: datetime,
    recipient: str = "",
    about: str = "",
) -> Delivery:
    """A notice not written yet; hand the list to `write`. The same `key` is sent once."""
    plain = asdict(item) | {"facts": [list(fact) for fact in item.facts]}
    return Delivery(
        key=key,
        channel=channel,
        recipient=recipient,
        about=about,
        severity=item.severity,
        item=plain,
        due_at=due_at,
        created_at=now,
    )


def write(deliveries: Sequence[Delivery]) -> int:
    """Store the new ones; what is there already, sent or not, stays as it is. Returns how many."""
    keys = [delivery.key for delivery in deliveries]
    known: set[str] = set()
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        known.update(Delivery.objects.filter(key__in=part).values_list("key", flat=True))
    new = [delivery for delivery in deliveries if delivery.key not in known]
    # another worker may write the same meanwhile: its row stands
    Delivery.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    return len(new)


def drop(*, about: Iterable[str]) -> int:
    """What was to be told is over: notices that have not left are not sent."""
    return Delivery.objects.filter(about__in=list(about), state=State.WAITING).update(
        state=State.DROPPED
    )


def deliver_due(*, now: datetime) -> dict[str, int]:
    """Send everything that is due, as far as the services take it. {sent, failed, later}."""
    _recover(now)
    counts = {"sent": 0, "failed": 0, "later": 0}
    due = _ours().filter(state=State.WAITING, due_at__lte=now, channel__is_active=True)
    pairs = list(due.order_by().values_list("channel_id", "recipient").distinct())
    found = Channel.objects.in_bulk({channel_id for channel_id, _ in pairs})
    room = {pk: _room(channel, now) for pk, channel in found.items()}
    for channel_id, recipient in sorted(pairs):
        channel = found[channel_id]
        channel.refresh_from_db(fields=["paused_until"])
        if channel.is_paused(now) or room[channel_id] < 1:
            continue
        rows = _claim(channel, recipient, now)
        if not rows:
            continue
        room[channel_id] -= 1
        outcome = _post(channel, rows, now=now)
        settle(rows, channel, outcome, now=now)
        counts[outcome.status] += len(rows)
    return counts


def waits_until() -> datetime | None:
    """When the next notice is due; None: nothing waits."""
    due = _ours().filter(state=State.WAITING, channel__is_active=True)
    return due.order_by("due_at").values_list("due_at", flat=True).first()


def _ours() -> QuerySet[Delivery]:
    """Notices to our own people; what goes to customers has rules of its own (touch_sending)."""
    return Delivery.objects.filter(channel__serves=Channel.Serves.TEAM)


def _recover(now: datetime) -> None:
    """What a killed worker held."""
    late = _ours().filter(lease_until__lt=now)
    late.filter(state=State.TAKEN).update(state=State.WAITING, lease_until=None)
    posting = late.filter(state=State.POSTING)
    repeatable = [kind for kind, channel in KINDS.items() if channel.IS_IDEMPOTENT]
    posting.filter(channel__kind__in=repeatable).update(state=State.WAITING, lease_until=None)
    posting.exclude(channel__kind__in=repeatable).update(
        state=State.UNSURE,
        lease_until=None,
        error_code="interrupted",
        error_text="The server stopped while this was on its way.",
    )


def _room(channel: Channel, now: datetime) -> int:
    """How many messages the service still takes in this minute."""
    posted = (
        Delivery.objects.filter(channel=channel, sent_at__gt=now - timedelta(minutes=1))
        .exclude(batch="")
        .order_by()
        .values("batch")
        .distinct()
        .count()
    )
    return KINDS[channel.kind].LIMITS.per_minute - posted


def _claim(channel: Channel, recipient: str, now: datetime) -> list[Delivery]:
    """Make the due notices of one receiver ours; a batch begun before is taken up as it was."""
    due = Delivery.objects.filter(
        channel=channel, recipient=recipient, state=State.WAITING, due_at__lte=now
    ).order_by("severity", "created_at", "pk")
    begun = due.exclude(batch="").values_list("batch", flat=True).first()
    if begun:
        wanted, batch = due.filter(batch=begun), begun
    else:
        pks = list(due.values_list("pk", flat=True)[:BATCH])
        wanted, batch = due.filter(pk__in=pks), secrets.token_hex(16)
    taken = wanted.order_by().update(
        state=State.TAKEN, batch=batch, lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    if not taken:
        return []  # another worker was faster
    rows = Delivery.objects.filter(batch=batch, state=State.TAKEN, lease_until=now + LEASE)
    return list(rows.order_by("severity", "created_at", "pk"))


def _post(channel: Channel, rows: list[Delivery], *, now: datetime) -> Outcome:
    batch = rows[0].batch
    faults.point("delivery.taken")
    Delivery.objects.filter(batch=batch, state=State.TAKEN).update(state=State.POSTING)
    message = compose(
        [_item(row.item) for row in rows],
        language=channel.language,
        queue_url=address("/alerts/"),
    )
    target = Target(channel.config, channel.secrets, rows[0].recipient, batch)
    try:
        outcome = box(channel.kind).send(target, message, now=now)
    except Exception:
        log.exception("channel %s: a fault of ours", channel.pk)
        outcome = Outcome(
            "failed",
            error_code="fault",
            error_text="A fault of ours; the log of the worker has it.",
        )
    faults.point("delivery.posted")
    return outcome


@transaction.atomic
def settle(rows: Sequence[Delivery], channel: Channel, outcome: Outcome, *, now: datetime) -> None:
    """Write down what became of one message."""
    state, due_at = _next_state(rows[0], outcome, now)
    changes: dict[str, Any] = {
        "state": state,
        "lease_until": None,
        "error_code": outcome.error_code[:40],
        "error_text": outcome.error_text[:200],
        "error_said": outcome.said[:200],
    }
    if state == State.SENT:
        changes |= {"sent_at": now, "provider_id": outcome.provider_id[:200]}
    if due_at is not None:
        changes["due_at"] = due_at
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    of_channel = Channel.objects.filter(pk=channel.pk)
    if state == State.SENT:
        of_channel.update(
            last_sent_at=now,
            failed_at=None,
            error_code="",
            error_text="",
            error_said="",
            paused_until=None,
        )
        return
    of_channel.update(
        failed_at=now,
        error_code=outcome.error_code[:40],
        error_text=outcome.error_text[:200],
        error_said=outcome.said[:200],
        paused_until=due_at,
    )


def _next_state(row: Delivery, outcome: Outcome, now: datetime) -> tuple[str, datetime | None]:
    if outcome.status == "sent":
        return State.SENT, None
    if outcome.status == "later" and row.attempts < MAX_ATTEMPTS:
        pause = min(outcome.retry_after * 2 ** max(row.attempts - 1, 0), LONGEST_PAUSE)
        return State.WAITING, now + timedelta(seconds=max(pause, outcome.retry_after))
    return State.FAILED, None


@transaction.atomic
def resend(*, actor: User | None, now: datetime, delivery: Delivery) -> Delivery:
    """Send again what failed or was perhaps sent; it gets a new id, as the old one may be known."""
    require(actor, "settings.edit")
    row = Delivery.objects.select_for_update().filter(pk=delivery.pk).first()
    if row is None:
        raise NotFound
    if row.state not in {State.FAILED, State.UNSURE}:
        raise NothingToSend
    if row.channel.serves != Channel.Serves.TEAM:
        raise NothingToSend  # a message to a customer has its own way (touch_decisions)
    row.state, row.batch, row.attempts, row.due_at = State.WAITING, "", 0, now
    row.error_code = row.error_text = row.error_said = ""
    row.save()
    record(actor=actor, now=now, action="channel.resend", obj=row.channel)
    return row


def address(path: str) -> str:
    """A path of this product as a link that works from outside; "" where that is not known."""
    base: str = settings.PUBLIC_ADDRESS
    return f"{base.rstrip('/')}{path}" if base else ""


def _item(plain: dict[str, Any]) -> Item:
    facts = tuple((str(name), str(value)) for name, value in plain.get("facts", ()))
    path = str(plain.get("url", ""))
    return Item(
        title=str(plain["title"]),
        text=str(plain["text"]),
        facts=facts,
        url=address(path) if path.startswith("/") else path,
        severity=int(plain.get("severity", 4)),
        is_task=plain.get("is_task") is True,
    )
