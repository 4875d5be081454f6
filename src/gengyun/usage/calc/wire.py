"""The shapes of the tracking wire and of what becomes of it. Instants are microseconds, UTC."""

from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

KINDS = frozenset({"track", "page", "screen", "identify", "group", "alias"})
MAX_EVENT_BYTES = 32 * 1024
MAX_ID_CHARS = 200  # user, group and message ids and event names
# a client clock this near to ours is believed as it is, so that imports of history stay exact
CLOCK_TOLERANCE_US = 60_000_000
EARLIEST_US = 946_684_800_000_000  # 2000-01-01T00:00Z: anything before is a clock that was not set
_PLAUSIBLE_SECONDS = 100_000_000_000  # a larger bare number counts milliseconds

Id: TypeAlias = str | int | None
WireTime: TypeAlias = str | int | float | None
_NOTHING = msgspec.Raw(b"null")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Received(msgspec.Struct, gc=False):
    """What the door knows of a request and the client did not write: `tracking.dialects.noted`."""

    ip: str = ""
    agent: str = ""  # the User-Agent header
    library: str = ""  # as PostHog's v1 names it in a header


class Library(msgspec.Struct, gc=False):
    name: str = ""


class Context(msgspec.Struct, gc=False):
    groupId: Id = None  # noqa: N815 (the wire's spelling)
    traits: msgspec.Raw = _NOTHING
    library: msgspec.Raw = _NOTHING
    ip: msgspec.Raw = _NOTHING
    userAgent: msgspec.Raw = _NOTHING  # noqa: N815


class Event(msgspec.Struct, gc=False):
    """One event as clients write it; what is not named here is ignored."""

    type: str | None = None
    messageId: Id = None  # noqa: N815
    userId: Id = None  # noqa: N815
    anonymousId: Id = None  # noqa: N815
    previousId: Id = None  # noqa: N815
    groupId: Id = None  # noqa: N815
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: WireTime = None
    originalTimestamp: WireTime = None  # noqa: N815
    sentAt: WireTime = None  # noqa: N815
    properties: msgspec.Raw = _NOTHING
    traits: msgspec.Raw = _NOTHING
    context: Context | None = None
    received: msgspec.Raw = msgspec.field(name="_received", default=_NOTHING)


class Envelope(msgspec.Struct, gc=False):
    """A batch with its events still as bytes. The door uses it to check and count."""

    batch: list[msgspec.Raw]
    sentAt: WireTime = None  # noqa: N815
    context: msgspec.Raw = _NOTHING
    writeKey: str | None = None  # noqa: N815
    received: msgspec.Raw = msgspec.field(name="_received", default=_NOTHING)


class Single(msgspec.Struct, gc=False):
    """What the door reads of a request that is one event."""

    writeKey: str | None = None  # noqa: N815


class DecodedEvent(msgspec.Struct, gc=False):
    """A good event. Empty text: the client said nothing."""

    position: int  # place in its request, from 0
    kind: str  # track, page, screen, identify, group, alias
    message_id: str
    user_id: str
    anonymous_id: str
    previous_id: str  # alias only; with the event "merge" either id may be the later one
    group_id: str  # the customer's external id
    event: str  # the name of a track event, of a page or of a screen
    happened_at: int
    sent_at: int | None
    properties: str  # JSON text: traits for identify and group; "" for none
    source: msgspec.Raw

    @property
    def raw(self) -> bytes:
        """The event's JSON as it came, copied out of its request only for the few that ask."""
        return bytes(self.source)


class BadEvent(msgspec.Struct, gc=False):
    """An event that cannot be used, with the reason (`QuarantinedEvent.Reason`) and why."""

    position: int
    reason: str  # no_user, no_event_name, bad_type, bad_time, too_large, bad_shape
    detail: str
    group_id: str
    sent_at: int | None
    raw: bytes


class Skipped(msgspec.Struct, gc=False):
    """An event that is counted and left out: `reason` is "bot" or "ignored"."""

    position: int
    reason: str
    event: str
    group_id: str
    raw: bytes


class Arrived(msgspec.Struct, gc=False, frozen=True):
    """How a request came. `kind` is the path's ("batch", an event kind or "posthog").

    `sent_at` is the transport's word on the client's clock and wins over the body's. `place` names
    the request for ever (say its inbox id): an event without messageId gets one made of it, so
    that draining twice gives the same id. `group_id` is the group of events that name none.
    `group_type` is PostHog's word for customers; `received` is what the door noted.
    """

    kind: str
    received_at: int
    is_browser: bool
    place: str
    sent_at: int | None = None
    group_id: str = ""
    group_type: str = "company"
    drops_bots: bool = False
    received: Received | None = None


def parse_time(value: str | float) -> int:
    """ISO 8601 text, or seconds or milliseconds since 1970. No zone means UTC. ValueError else."""
    if isinstance(value, str):
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        since = instant - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return round(value * 1_000) if abs(value) > _PLAUSIBLE_SECONDS else round(value * 1_000_000)
