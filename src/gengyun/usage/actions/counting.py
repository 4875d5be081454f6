"""What became of the events of a turn: counters, samples, replays; counted once through any kill.

The turn notes what it will count (`DrainState.pending`) before the lake commits and counts it
after. A turn that was killed in between is settled by the next one: the lake's high-water mark
says whether its rows arrived.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import F

from gengyun.lake.store import Lake
from gengyun.usage.actions.deliveries import Delivery, Held, Left, Row, instant_of
from gengyun.usage.actions.resolve import Resolver
from gengyun.usage.actions.writing import Mask
from gengyun.usage.calc.decode import BadEvent, DecodedEvent, Skipped
from gengyun.usage.models import Arrival, DrainState, QuarantinedEvent, Source

Known: TypeAlias = DecodedEvent | BadEvent | Skipped
APP = "inbox"  # the drain's application id in the lake's commits
SAMPLES = 200  # latest events kept per source for the live list
SAMPLES_A_TURN = 50
SCANNED = 2_000  # of a turn's last events, to find samples of every source


# an outcome's place in a source's counts; every other outcome is a reason of quarantine
ACCEPTED, DUPLICATE, QUARANTINED, NEWEST, BOT, IGNORED = range(6)
PLACES = {"accepted": ACCEPTED, "duplicate": DUPLICATE, "bot": BOT, "ignored": IGNORED}


class Tally:
    """Counts of one turn by source, in the order of the places; NEWEST is a received_at."""

    def __init__(self) -> None:
        self.by_source: dict[int, list[int]] = {}
        self.replayed: list[int] = []  # quarantined events that went to the lake
        self.samples: dict[int, list[Arrival]] = {}

    def add(self, delivery: Delivery, *, outcome: str, count: int = 1) -> None:
        counts = self.by_source.setdefault(delivery.source.pk, [0] * 6)
        place = PLACES.get(outcome, QUARANTINED)
        replayed = delivery.quarantine_id is not None
        if place != QUARANTINED:  # what waits is counted where it is written, by `hold`
            counts[place] += count
            if replayed:
                self.replayed.append(delivery.quarantine_id or 0)
        counts[NEWEST] = max(counts[NEWEST], delivery.received_at)

    def total(self, place: int) -> int:
        return sum(counts[place] for counts in self.by_source.values())

    def count_rows(self, rows: Sequence[Row], keep: Mask) -> None:
        place, ends = 0, keep.tolist()
        for delivery, run in groupby(rows, key=itemgetter(0)):
            length = len(list(run))
            accepted = sum(ends[place : place + length])
            place += length
            if accepted:
                self.add(delivery, outcome="accepted", count=accepted)
            if accepted < length:
                self.add(delivery, outcome="duplicate", count=length - accepted)

    def as_json(self) -> dict[str, Any]:
        return {"sources": self.by_source, "sent_on": self.replayed}


def note_pending(tally: Tally, *, through_id: int) -> None:
    """Inside the turn's transaction, before the lake commits."""
    DrainState.objects.update_or_create(
        pk=1, defaults={"through_id": through_id, "pending": tally.as_json()}
    )


def settle(lake: Lake, *, now: datetime) -> None:
    """Count the pending turn if the lake has it, forget it if not."""
    state = DrainState.objects.filter(pk=1).first()
    if state is None or state.pending is None:
        return
    arrived = (lake.app_version("events", APP) or 0) >= state.through_id
    with transaction.atomic():
        if arrived:
            _count(state.pending, now=now)
        state.pending = None
        state.save()


def _count(pending: dict[str, Any], *, now: datetime) -> None:
    # a turn that was noted by the version before knows nothing of what is left out
    for pk, (accepted, duplicates, quarantined, newest, *left) in pending["sources"].items():
        bots, ignored = left or (0, 0)
        rows = Source.objects.filter(pk=int(pk))
        rows.update(
            accepted_count=F("accepted_count") + accepted,
            duplicate_count=F("duplicate_count") + duplicates,
            quarantined_count=F("quarantined_count") + quarantined,
            bot_count=F("bot_count") + bots,
            ignored_count=F("ignored_count") + ignored,
        )
        rows.filter(last_event_at__isnull=True).update(last_event_at=instant_of(newest))
        rows.filter(last_event_at__lt=instant_of(newest)).update(last_event_at=instant_of(newest))
    _mark_replayed(pending, now=now)


def _mark_replayed(pending: dict[str, Any], *, now: datetime) -> None:
    # "replayed": noted by the version before, which had taken them off its counts already
    ids, counts = pending.get("sent_on", []), True
    if "replayed" in pending:
        ids, counts = pending["replayed"], False
    for at in range(0, len(ids), 900):
        waiting = QuarantinedEvent.objects.filter(pk__in=ids[at : at + 900], replayed_at=None)
        if counts:
            _count_waiting(Counter(waiting.values_list("source_id", flat=True)), sign=-1)
        waiting.update(replayed_at=now)


def _count_waiting(by_source: Counter[int], *, sign: int) -> None:
    for pk, count in by_source.items():
        Source.objects.filter(pk=pk).update(quarantined_count=F("quarantined_count") + sign * count)


def hold(held: Iterable[Held]) -> None:
    """Write events to quarantine and count them; a repeated turn finds them there.

    Inside the transaction. They wait, and count as waiting, even if the turn is killed later and
    its repetition can send them on: the replay then finds them in the lake and takes them off.
    """
    fresh = []
    for item in held:
        delivery, event = item.delivery, item.event
        if delivery.quarantine_id is not None:
            if item.reason != delivery.reason:
                QuarantinedEvent.objects.filter(pk=delivery.quarantine_id).update(
                    reason=item.reason, detail=item.detail
                )
            continue
        fresh.append(
            QuarantinedEvent(
                source_id=delivery.source.pk,
                inbox_id=delivery.place,
                position=event.position,
                path=delivery.path,
                reason=item.reason,
                detail=item.detail,
                group_id=event.group_id or item.group_id,
                user_id=item.user_id,
                received_at=instant_of(delivery.received_at),
                sent_at=None if event.sent_at is None else _sane(event.sent_at),
                body=as_text(event.raw),
            )
        )
    fresh = _not_there_yet(fresh)
    QuarantinedEvent.objects.bulk_create(fresh, batch_size=500)
    _count_waiting(Counter(event.source_id for event in fresh), sign=1)


def _not_there_yet(events: list[QuarantinedEvent]) -> list[QuarantinedEvent]:
    places = sorted({event.inbox_id for event in events})
    there: set[tuple[int, int]] = set()
    for at in range(0, len(places), 900):
        rows = QuarantinedEvent.objects.filter(inbox_id__in=places[at : at + 900])
        there.update(rows.values_list("inbox_id", "position"))
    return [event for event in events if (event.inbox_id, event.position) not in there]


def _sane(us: int) -> datetime | None:
    """A client's clock may say anything, also what a datetime cannot hold."""
    try:
        return instant_of(us)
    except OverflowError:
        return None


def as_text(raw: bytes) -> str:
    """The bytes as they came, with what is not UTF-8 made visible."""
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def sample_turn(
    tally: Tally, resolver: Resolver, keep: Mask, held: list[Held], left: list[Left]
) -> None:
    """Choose the latest events of each source for the live list."""
    people = resolver.people
    latest: list[tuple[Delivery, Known, str, int | None, str]] = []
    for row, kept in zip(resolver.rows[-SCANNED:], keep[-SCANNED:].tolist(), strict=True):
        outcome = "accepted" if kept else "duplicate"
        latest.append((row.delivery, row.event, outcome, row.customer_id, row.user_id))
    for delivery, told in resolver.told[-SCANNED:]:
        latest.append((delivery, told, "accepted", None, people.user_of(told)))
    latest += [
        (item.delivery, item.event, item.reason, None, item.user_id) for item in held[-SCANNED:]
    ]
    latest += [(item.delivery, item.event, item.event.reason, None, "") for item in left[-SCANNED:]]
    latest.sort(key=lambda entry: (entry[0].place, entry[1].position), reverse=True)
    for entry in latest:
        arrivals = tally.samples.setdefault(entry[0].source.pk, [])
        if len(arrivals) < SAMPLES_A_TURN:
            arrivals.append(_arrival(*entry))


def _arrival(
    delivery: Delivery,
    event: Known,
    outcome: str,
    customer_id: int | None,
    user_id: str,
) -> Arrival:
    arrival = Arrival(
        source_id=delivery.source.pk,
        received_at=instant_of(delivery.received_at),
        kind=delivery.path,
        group_id=event.group_id,
        user_id=user_id,
        customer_id=customer_id,
        outcome=outcome,
        body=as_text(event.raw),
    )
    if isinstance(event, DecodedEvent):
        arrival.kind, arrival.event = event.kind, event.event
        arrival.happened_at = instant_of(event.happened_at)
    elif isinstance(event, Skipped):
        arrival.event = event.event
    return arrival


def save_samples(tally: Tally) -> None:
    """Show the latest; only a sample: a kill may lose it."""
    with transaction.atomic():
        for source_id, arrivals in tally.samples.items():
            Arrival.objects.bulk_create(reversed(arrivals))  # the newest has the highest id
            rows = Arrival.objects.filter(source_id=source_id).order_by("-pk")
            oldest = rows.values_list("pk", flat=True)[SAMPLES - 1 : SAMPLES].first()
            if oldest is not None:
                rows.filter(pk__lt=oldest).delete()
