"""What the drain and the import hand on: good events by request, bad ones with a reason."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from gengyun.usage.calc.decode import BadEvent, DecodedEvent, Skipped
from gengyun.usage.models import Source

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exactly (a float's 53 bits would round)."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


class SourceFacts(msgspec.Struct, frozen=True, gc=False):
    """What of a source decides about its events."""

    pk: int
    creates: bool  # unknown customers are made, not quarantined
    is_history: bool
    is_browser: bool
    group_type: str = "company"
    drops_bots: bool = False

    @classmethod
    def of(cls, source: Source) -> "SourceFacts":
        return cls(
            source.pk,
            source.unknown_customer == Source.UnknownCustomer.CREATE,
            source.is_history,
            source.is_browser,
            source.group_type,
            source.drops_bots,
        )


class Delivery(msgspec.Struct, gc=False):
    """The events of one request. A replayed event is a delivery of its own."""

    source: SourceFacts
    place: int  # inbox id; the line for imports
    path: str  # of the request: batch, track, …
    received_at: int
    events: list[DecodedEvent]
    quarantine_id: int | None = None
    reason: str = ""  # why a replayed event waited until now
    # the moment from which the events count as known; None: received_at, or happened_at where
    # the source is a history
    known_at: int | None = None


class Held(msgspec.Struct, gc=False):
    """An event for quarantine, or one that stays there (`quarantine_id`)."""

    delivery: Delivery
    event: DecodedEvent | BadEvent
    reason: str
    detail: str = ""
    user_id: str = ""
    group_id: str = ""  # where the event names the customer in another way than by its group


class Left(NamedTuple):
    """An event that is counted and left out: of a robot, or a client's own housekeeping."""

    delivery: Delivery
    event: Skipped


class Row(NamedTuple):
    """An event that goes to the lake, once it is known whose it is."""

    delivery: Delivery
    event: DecodedEvent
    customer_id: int
    user_id: str  # after aliases; "" for a visitor
    known_at: int
