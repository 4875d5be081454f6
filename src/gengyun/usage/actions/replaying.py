"""Quarantined events on their way back: through the inbox, so that there is one way to the lake.

A replay is a batch of the kind "replay" that names quarantined events. The drain decodes them again
as they came; their message keys are what they would have been, so a replay run twice adds nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from gengyun.lake.inbox import AnyInbox, NewBatch
from gengyun.usage.actions.deliveries import Delivery, Held, SourceFacts, micros
from gengyun.usage.calc.decode import Arrived, BadEvent, DecodedEvent, decode_event
from gengyun.usage.models import QuarantinedEvent

REPLAY = "replay"  # no path of the door has this name
BATCH = 1_000
T = TypeVar("T")


class Replay(msgspec.Struct):
    ids: list[int]
    now: int  # from when on the events count as known


def put_back(ids: Iterable[int], *, inbox: AnyInbox, now: datetime) -> int:
    """Queue quarantined events for the next turn; returns how many."""
    listed = list(ids)
    at = micros(now)
    inbox.append_many(
        [
            NewBatch(0, REPLAY, at, None, len(part), msgspec.json.encode(Replay(part, at)))
            for part in _parts(listed, BATCH)
        ]
    )
    return len(listed)


def deliveries_again(
    body: bytes, sources: dict[int, SourceFacts], *, taken: set[int]
) -> tuple[list[Delivery], list[Held]]:
    """The events of a replay batch that still wait, each as a delivery of its own.

    `taken` are those that another batch of the same turn brought already; it is added to.
    """
    replay = msgspec.json.decode(body, type=Replay)
    deliveries: list[Delivery] = []
    bad: list[Held] = []
    fresh = sorted(set(replay.ids) - taken)
    taken.update(fresh)
    for part in _parts(fresh, 900):
        for row in QuarantinedEvent.objects.filter(pk__in=part, replayed_at=None).order_by("pk"):
            source = sources[row.source_id]
            received_at = micros(row.received_at)
            delivery = Delivery(
                source,
                row.inbox_id,
                row.path,
                received_at,
                [],
                quarantine_id=row.pk,
                reason=row.reason,
                known_at=None if source.is_history else replay.now,
            )
            arrived = Arrived(
                row.path,
                received_at,
                source.is_browser,
                str(row.inbox_id),
                None if row.sent_at is None else micros(row.sent_at),
                row.group_id,
                source.group_type,
            )
            event = decode_event(row.body.encode(), row.position, arrived)
            if isinstance(event, BadEvent):
                bad.append(Held(delivery, event, event.reason, event.detail))
            elif isinstance(event, DecodedEvent):
                delivery.events.append(event)
                deliveries.append(delivery)
    return deliveries, bad


def replay_mapped(user_ids: set[str], *, inbox: AnyInbox, now: datetime) -> int:
    """Events that waited because nobody knew the user's customer may go now."""
    waiting = QuarantinedEvent.objects.filter(
        reason=QuarantinedEvent.Reason.NO_CUSTOMER, replayed_at=None
    )
    if not user_ids or not waiting.exists():
        return 0
    ids = [
        pk
        for part in _parts(sorted(user_ids), 900)
        for pk in waiting.filter(user_id__in=part).order_by("pk").values_list("pk", flat=True)
    ]
    return put_back(ids, inbox=inbox, now=now) if ids else 0


def _parts(values: list[T], size: int) -> Iterator[list[T]]:
    return (values[at : at + size] for at in range(0, len(values), size))
