"""Sending what is planned for customers: looked at once more, then posted once.

waiting -> taken (claimed, and every rule checked again in the same transaction: opt-outs, caps,
quiet hours, whether the person is still there) -> posting (committed right before the network
call) -> sent. Killed while taken: nothing has left, the next worker starts over. Killed while
posting: it may have left. A service that drops repeats gets it again under the same id; for all
others it becomes "perhaps sent" and stays so: a customer never gets a message twice.

A touch counts in the caps from the moment it is taken (`sent_at`), so that two workers cannot each
believe that there is room.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet

from gengyun.engagement.actions.touch_approvals import expire
from gengyun.engagement.actions.touch_outcomes import settle_letter
from gengyun.engagement.calc.budget import Counted
from gengyun.engagement.calc.quiet import is_quiet
from gengyun.engagement.calc.touching import STALE, TOO_LATE, Decision, Standing, decide
from gengyun.engagement.channels import KINDS, Outcome, Target, box
from gengyun.engagement.models import Channel, Delivery, Touch
from gengyun.engagement.queries.letters import letter_of
from gengyun.engagement.queries.reach import Reach, locked, policy, quiet_of
from gengyun.kernel import faults

log = logging.getLogger(__name__)

BATCH = 50
LEASE = timedelta(minutes=5)
MAY_HAVE_LEFT = "interrupted"
State = Delivery.State
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Ready:
    """A touch that may go now."""

    delivery: Delivery
    touch: Touch
    zone: ZoneInfo  # the reader's


def send_due(*, now: datetime, clock: Clock | None = None, limit: int = 1000) -> dict[str, int]:
    """Send what is due, as far as the services take it.

    `clock`: the time while it works (a slow server must not carry a message into the night);
    without it `now` stands still. Returns {sent, failed, later, unsure, suppressed}.
    """
    tick = clock or (lambda: now)
    _recover(now)
    expire(now=tick())
    counts = dict.fromkeys(("sent", "failed", "later", "unsure", "suppressed"), 0)
    due = _to_customers().filter(state=State.WAITING, due_at__lte=now, channel__is_active=True)
    ids = sorted(set(due.order_by().values_list("channel_id", flat=True)))
    left = limit
    for channel in Channel.objects.filter(pk__in=ids).order_by("pk"):
        room = min(left, _room(channel, now))
        while room > 0 and not channel.is_paused(tick()):
            found = _claim(channel, tick(), min(room, BATCH))
            if found is None:
                break
            ready, suppressed = found
            counts["suppressed"] += suppressed
            room -= len(ready)
            left -= len(ready)
            _post_all(channel, ready, tick, counts)
            channel.refresh_from_db(fields=["paused_until"])
    return counts


def waits_until() -> datetime | None:
    """When the next message to a customer is due; None: nothing waits."""
    due = _to_customers().filter(state=State.WAITING, channel__is_active=True)
    return due.order_by("due_at").values_list("due_at", flat=True).first()


def _to_customers() -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        channel__serves=Channel.Serves.CUSTOMERS, about__startswith="touch:"
    )


@transaction.atomic
def _recover(now: datetime) -> None:
    """What a killed worker held."""
    late = _to_customers().filter(lease_until__lt=now)
    taken = list(late.filter(state=State.TAKEN).values_list("pk", "about"))
    _change(taken, State.TAKEN, State.WAITING, now)
    Touch.objects.filter(token__in=[_token(about) for _, about in taken]).update(sent_at=None)
    repeatable = [kind for kind in KINDS if box(kind).LETTERS_REPEATABLE]
    posting = late.filter(state=State.POSTING)
    again = list(posting.filter(channel__kind__in=repeatable).values_list("pk", "about"))
    # `sent_at` stays: it may have arrived, so it counts in the caps until that is known
    _change(again, State.POSTING, State.WAITING, now, error_code=MAY_HAVE_LEFT)
    lost = list(posting.exclude(channel__kind__in=repeatable).values_list("pk", "about"))
    _change(
        lost, State.POSTING, State.UNSURE, now, error_code=MAY_HAVE_LEFT,
        error_text="The server stopped while this was on its way.",
    )  # fmt: skip
    Touch.objects.filter(
        token__in=[_token(about) for _, about in lost], state=Touch.State.QUEUED
    ).update(state=Touch.State.UNSURE)


def _change(
    rows: Sequence[tuple[int, str]], was: str, becomes: str, now: datetime, **more: str
) -> None:
    pks = [pk for pk, _ in rows]
    held = Delivery.objects.filter(pk__in=pks, state=was, lease_until__lt=now)
    held.update(state=becomes, lease_until=None, **more)


def _token(about: str) -> str:
    return about.removeprefix("touch:")


def _room(channel: Channel, now: datetime) -> int:
    """How many messages the service still takes in this minute."""
    given = channel.config.get("per_minute")
    most = given if isinstance(given, int) and given > 0 else KINDS[channel.kind].LIMITS.per_minute
    since = now - timedelta(minutes=1)
    return most - Delivery.objects.filter(channel=channel, sent_at__gt=since).count()


@transaction.atomic
def _claim(channel: Channel, now: datetime, most: int) -> tuple[list[_Ready], int] | None:
    """Make due messages ours and decide each anew. None: nothing is due. (ready, suppressed)"""
    due = Delivery.objects.filter(
        channel=channel, state=State.WAITING, due_at__lte=now, about__startswith="touch:"
    )
    pks = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:most])
    if not pks:
        return None
    batch = secrets.token_hex(16)
    Delivery.objects.filter(pk__in=pks, state=State.WAITING).update(
        state=State.TAKEN, batch=batch, lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    rows = list(Delivery.objects.filter(batch=batch).order_by("due_at", "pk"))
    found = Touch.objects.filter(token__in=[_token(row.about) for row in rows])
    touches = {touch.token: touch for touch in found}
    contacts, customers = locked(
        {touch.contact_id for touch in touches.values() if touch.contact_id is not None},
        {touch.customer_id for touch in touches.values()},
        {t.customer_id for t in touches.values() if t.person.startswith("customer:")},
    )
    mine = [touch.pk for touch in touches.values()]
    reach = Reach(customers.values(), contacts.values(), now, leaving=True, without=mine)
    gate = _Gate(reach, channel, now)
    for row in rows:
        touch = touches.get(_token(row.about))
        if touch is None or touch.state != Touch.State.QUEUED:
            gate.over(row)
            continue
        customer = customers[touch.customer_id]
        contact = contacts.get(touch.contact_id) if touch.contact_id is not None else None
        standing = reach.standing(
            customer, contact, touch.channel_kind, has_channel=True,
            subject=touch.subject, body=touch.body,
        )  # fmt: skip
        gate.judge(row, touch, standing)
    gate.save()
    return gate.ready, gate.suppressed


class _Gate:
    """What becomes of a claimed batch: it goes now, waits, or does not go."""

    def __init__(self, reach: Reach, channel: Channel, now: datetime) -> None:
        self.reach, self.channel, self.now = reach, channel, now
        self.policy = policy()
        self.quiet = quiet_of(self.policy)
        self.ready: list[_Ready] = []
        self.deliveries: list[Delivery] = []
        self.touches: list[Touch] = []
        self.suppressed = 0

    def over(self, row: Delivery) -> None:
        """The touch was taken back, or is no more."""
        row.state, row.lease_until = State.DROPPED, None
        self.deliveries.append(row)

    def judge(self, row: Delivery, touch: Touch, standing: Standing) -> None:
        decision = decide(
            standing, category=touch.category, budget_class=touch.budget_class, at=self.now,
            quiet=self.quiet, caps=self.policy.caps,
        )  # fmt: skip
        if self.now - row.due_at > STALE:
            decision = Decision(reason=TOO_LATE, told={"due_at": row.due_at.isoformat()})
        if decision.reason:
            self._refuse(row, touch, decision)
        elif decision.due_at is not None and decision.due_at > self.now:
            row.state, row.lease_until, row.due_at = State.WAITING, None, decision.due_at
            row.attempts = max(0, row.attempts - 1)  # nothing was tried
            touch.due_at = decision.due_at
            if row.error_code != MAY_HAVE_LEFT:
                touch.sent_at = None
            self.deliveries.append(row)
            self.touches.append(touch)
        else:
            touch.sent_at = touch.due_at = self.now
            self.reach.count(touch.person, Counted(self.now, touch.budget_class))
            self.touches.append(touch)
            self.ready.append(_Ready(row, touch, standing.zone))

    def _refuse(self, row: Delivery, touch: Touch, decision: Decision) -> None:
        row.lease_until = None
        if row.error_code == MAY_HAVE_LEFT:
            row.state, touch.state = State.UNSURE, Touch.State.UNSURE
        else:
            row.state, touch.state, touch.sent_at = State.DROPPED, Touch.State.SUPPRESSED, None
        touch.reason, touch.told = decision.reason, dict(decision.told)
        self.suppressed += 1
        self.deliveries.append(row)
        self.touches.append(touch)

    def save(self) -> None:
        Delivery.objects.bulk_update(
            self.deliveries, ["state", "lease_until", "due_at", "attempts"], batch_size=100
        )
        Touch.objects.bulk_update(
            self.touches, ["state", "reason", "told", "due_at", "sent_at"], batch_size=100
        )


def _post_all(
    channel: Channel, ready: Sequence[_Ready], tick: Clock, counts: dict[str, int]
) -> None:
    faults.point("touch.taken")
    rules = quiet_of(policy())
    for at, one in enumerate(ready):
        moment = tick()
        if is_quiet(moment, one.zone, rules):
            _put_back([one])
            counts["later"] += 1
            continue
        outcome = _post(channel, one, moment)
        if outcome is None:
            continue  # the lease was over: another worker has it
        settle_letter(one.delivery, one.touch, channel, outcome, now=tick())
        counts[outcome.status] += 1
        if outcome.status == "later" and not outcome.of_recipient:
            # the service does not work: the rest waits as it would have
            _put_back(ready[at + 1 :])
            counts["later"] += len(ready) - at - 1
            return


@transaction.atomic
def _put_back(rest: Sequence[_Ready]) -> None:
    """Claimed, and not sent: as before."""
    for one in rest:
        held = Delivery.objects.filter(
            pk=one.delivery.pk, state=State.TAKEN, batch=one.delivery.batch
        )
        if held.update(state=State.WAITING, lease_until=None, attempts=F("attempts") - 1):
            Touch.objects.filter(pk=one.touch.pk).update(sent_at=None)


def _post(channel: Channel, one: _Ready, now: datetime) -> Outcome | None:
    row, touch = one.delivery, one.touch
    with transaction.atomic():
        held = Delivery.objects.filter(pk=row.pk, state=State.TAKEN, batch=row.batch)
        if not held.update(state=State.POSTING, lease_until=now + LEASE):
            return None
        Touch.objects.filter(pk=touch.pk).update(sent_at=now, due_at=now)
    letter = letter_of(touch)
    target = Target(channel.config, channel.secrets, touch.recipient, touch.token)
    faults.point("touch.posting")
    try:
        outcome = box(channel.kind).write(target, letter, now=now)
    except Exception:
        log.exception("channel %s: a fault of ours", channel.pk)
        outcome = Outcome(
            "failed",
            error_code="fault",
            error_text="A fault of ours; the log of the worker has it.",
        )
    faults.point("touch.posted")
    return outcome
