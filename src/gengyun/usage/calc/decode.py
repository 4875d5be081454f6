"""The wire of the tracking API: request bodies to events, each good or bad with a reason.

The wire is Segment's. One bad event never spoils its neighbours: it comes back as `BadEvent` with
the JSON that came, to wait in quarantine. Instants are microseconds since 1970 UTC.
"""

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


class Context(msgspec.Struct, gc=False):
    groupId: Id = None  # noqa: N815 (the wire's spelling)
    traits: msgspec.Raw = _NOTHING


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


class Envelope(msgspec.Struct, gc=False):
    """A batch with its events still as bytes. The door uses it to check and count."""

    batch: list[msgspec.Raw]
    sentAt: WireTime = None  # noqa: N815
    context: msgspec.Raw = _NOTHING
    writeKey: str | None = None  # noqa: N815


class TypedEnvelope(msgspec.Struct, gc=False):
    """The same with its events read in the same pass."""

    batch: list[Event]


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
    previous_id: str  # alias only
    group_id: str  # the customer's external id
    event: str  # the name of a track event, of a page or of a screen
    happened_at: int
    sent_at: int | None
    properties: str  # JSON text: traits for identify and group; "" for none
    raw: bytes  # the event's JSON as it came


class BadEvent(msgspec.Struct, gc=False):
    """An event that cannot be used, with the reason (`QuarantinedEvent.Reason`) and why."""

    position: int
    reason: str  # no_user, no_event_name, bad_type, bad_time, too_large, bad_shape
    detail: str
    group_id: str
    sent_at: int | None
    raw: bytes


class _Bad(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_TYPED = msgspec.json.Decoder(TypedEnvelope)
_EVENT = msgspec.json.Decoder(Event)
_CONTEXT = msgspec.json.Decoder(Context | None)


class Arrived(msgspec.Struct, gc=False, frozen=True):
    """How a request came. `kind` is the path's ("batch" or an event kind).

    `sent_at` is the transport's word on the client's clock and wins over the body's. `place` names
    the request for ever (say its inbox id): an event without messageId gets one made of it, so
    that draining twice gives the same id. `group_id` is the group of events that name none.
    """

    kind: str
    received_at: int
    is_browser: bool
    place: str
    sent_at: int | None = None
    group_id: str = ""


def decode_batch(
    body: bytes,
    kind: str,
    received_at: int,
    *,
    is_browser: bool,
    place: str,
    sent_at: int | None = None,
) -> list[DecodedEvent | BadEvent]:
    """The events of one request body, in its order; the arguments are those of `Arrived`."""
    arrived = Arrived(kind, received_at, is_browser, place, sent_at)
    if kind != "batch":
        return [decode_event(body, 0, arrived)]
    try:
        envelope = _ENVELOPE.decode(body)
    except _UNREADABLE as error:
        return [BadEvent(0, "bad_shape", _words(error), "", sent_at, body)]
    if sent_at is None:
        sent_at = _time_or_none(envelope.sentAt)
    arrived = Arrived(
        kind, received_at, is_browser, place, sent_at, _shared_group(envelope.context)
    )
    raws = [bytes(raw) for raw in envelope.batch]
    try:
        # all events in one pass of the decoder; one that does not fit sends all the slow way
        events = _TYPED.decode(body).batch
    except _UNREADABLE:
        return [decode_event(raw, at, arrived) for at, raw in enumerate(raws)]
    return [
        _plain(event, raw, at, arrived) or decode_event(raw, at, arrived)
        for at, (event, raw) in enumerate(zip(events, raws, strict=True))
    ]


def _plain(event: Event, raw: bytes, position: int, arrived: Arrived) -> DecodedEvent | None:
    """What nearly every event is, in one go: a track event with nothing to mend.

    None: take the careful way, which gives the same for these (tests hold the two together).
    """
    name, user, message = event.event, event.userId, event.messageId
    context, stamp = event.context, event.timestamp
    group = event.groupId
    if group is None and context is not None:
        group = context.groupId
    if (
        event.type != "track"
        or type(name) is not str
        or type(user) is not str
        or type(message) is not str
        or type(group) is not str
        or type(stamp) is not str
        or event.anonymousId is not None
        or event.sentAt is not None
        or arrived.is_browser
        or len(raw) > MAX_EVENT_BYTES
        or not (0 < len(name) <= MAX_ID_CHARS and 0 < len(user) <= MAX_ID_CHARS)
        or not (0 < len(message) <= MAX_ID_CHARS and 0 < len(group) <= MAX_ID_CHARS)
        # strip returns the very same text when there is nothing to strip
        or (name.strip() is not name or user.strip() is not user)
        or (message.strip() is not message or group.strip() is not group)
        or b"\\u0000" in raw
    ):
        return None
    try:
        happened = parse_time(stamp)
        properties = str(event.properties, "utf-8")
    except (ValueError, OverflowError):
        return None
    if happened < EARLIEST_US or not properties.startswith("{"):
        return None
    return DecodedEvent(
        position,
        "track",
        message,
        user,
        "",
        "",
        group,
        name,
        min(happened, arrived.received_at),
        arrived.sent_at,
        "" if properties == "{}" else properties,
        raw,
    )


def decode_event(raw: bytes, position: int, arrived: Arrived) -> DecodedEvent | BadEvent:
    """One event of a request; also on its own, as quarantine keeps it."""
    if len(raw) > MAX_EVENT_BYTES:
        detail = f"{len(raw)} bytes, at most {MAX_EVENT_BYTES}"
        return BadEvent(position, "too_large", detail, arrived.group_id, arrived.sent_at, raw)
    try:
        event = _EVENT.decode(raw)
    except _UNREADABLE as error:
        detail = _words(error)[:300]
        return BadEvent(position, "bad_shape", detail, arrived.group_id, arrived.sent_at, raw)
    try:
        return _checked(event, raw, position, arrived)
    except _Bad as bad:
        group_id = _group_to_show(event) or arrived.group_id
        sent_at = arrived.sent_at if arrived.sent_at is not None else _time_or_none(event.sentAt)
        return BadEvent(position, bad.reason, bad.detail[:300], group_id, sent_at, raw)


def _checked(event: Event, raw: bytes, position: int, arrived: Arrived) -> DecodedEvent:
    kind = arrived.kind
    if kind == "batch":
        kind = event.type or ""
        if kind not in KINDS:
            raise _Bad("bad_type", f"type {event.type!r:.60} is none of {sorted(KINDS)}")
    sent_at = arrived.sent_at
    if sent_at is None and event.sentAt is not None:
        sent_at = _time_or_none(event.sentAt)
    name = _name(event, kind)
    user_id, anonymous_id, previous_id = _who(event, kind)
    group_id = _group(event) or arrived.group_id
    if kind == "group" and not group_id:
        raise _Bad("bad_shape", "group needs groupId")
    return DecodedEvent(
        position,
        kind,
        _id(event.messageId, "messageId") or f"{arrived.place}:{position}",
        user_id,
        anonymous_id,
        previous_id,
        group_id,
        name,
        _happened_at(event, arrived.received_at, sent_at, arrived.is_browser),
        sent_at,
        _properties(event, kind),
        raw,
    )


def _who(event: Event, kind: str) -> tuple[str, str, str]:
    user_id = _id(event.userId, "userId")
    anonymous_id = _id(event.anonymousId, "anonymousId")
    if kind == "alias":
        previous_id = _id(event.previousId, "previousId")
        if not (user_id and previous_id):
            raise _Bad("no_user", "alias needs userId and previousId")
        return user_id, anonymous_id, previous_id
    if not (user_id or anonymous_id):
        raise _Bad("no_user", "neither userId nor anonymousId")
    return user_id, anonymous_id, ""


def _group(event: Event) -> str:
    if event.groupId is not None:
        return _id(event.groupId, "groupId")
    context = event.context
    if context is not None and context.groupId is not None:
        return _id(context.groupId, "context.groupId")
    return ""


def _group_to_show(event: Event) -> str:
    try:
        return _group(event)
    except _Bad:
        return ""


def _happened_at(event: Event, received_at: int, sent_at: int | None, is_browser: bool) -> int:
    """When it happened, by our clock; the rules and their reasons are in docs/tracking.md."""
    # a caller's own timestamp; originalTimestamp is the time of the call (Rudder sends that one)
    claimed = event.timestamp if event.timestamp is not None else event.originalTimestamp
    if claimed is None:
        return received_at
    try:
        happened = parse_time(claimed)
    except (ValueError, OverflowError):
        raise _Bad("bad_time", f"timestamp {claimed!r:.60} is not a time") from None
    # only browsers: server libraries keep the first sentAt when they try again after an outage,
    # which would move the event to the time of the retry
    if is_browser and sent_at is not None:
        skew = received_at - sent_at
        if abs(skew) >= CLOCK_TOLERANCE_US:
            happened += skew
    if happened < EARLIEST_US:
        raise _Bad("bad_time", f"timestamp {claimed!r:.60} is before the year 2000")
    return min(happened, received_at)


def parse_time(value: str | float) -> int:
    """ISO 8601 text, or seconds or milliseconds since 1970. No zone means UTC. ValueError else."""
    if isinstance(value, str):
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        since = instant - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return round(value * 1_000) if abs(value) > _PLAUSIBLE_SECONDS else round(value * 1_000_000)


def _time_or_none(value: WireTime) -> int | None:
    """A sentAt nobody can read says nothing about the clock; the event itself is still good."""
    if value is None:
        return None
    try:
        return parse_time(value)
    except (ValueError, OverflowError):
        return None


def _name(event: Event, kind: str) -> str:
    if kind == "track":
        if not event.event or not event.event.strip():
            raise _Bad("no_event_name", "track needs a non-empty event")
        return _id(event.event, "event")
    if kind in {"page", "screen"}:
        return _id(event.name or event.category or "", "name")
    return ""


def _id(value: Id, field: str) -> str:
    if value is None or value == "":
        return ""
    text = str(value).strip()
    if len(text) > MAX_ID_CHARS:
        raise _Bad("bad_shape", f"{field} has {len(text)} characters, at most {MAX_ID_CHARS}")
    if "\x00" in text:
        raise _Bad("bad_shape", f"{field} holds a NUL character")
    return text


def _properties(event: Event, kind: str) -> str:
    field = "traits" if kind in {"identify", "group"} else "properties"
    raw = bytes(event.traits if field == "traits" else event.properties)
    if raw == b"null" and kind == "identify" and event.context is not None:
        raw = bytes(event.context.traits)  # where Rudder's clients put them
    if raw in {b"null", b"{}"}:
        return ""
    if not raw.startswith(b"{"):
        raise _Bad("bad_shape", f"{field} is not an object")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _Bad("bad_shape", f"{field}: {_words(error)}") from None


def _shared_group(context: msgspec.Raw) -> str:
    """The group that the batch's own context names for all of its events."""
    try:
        shared = _CONTEXT.decode(context)
        return "" if shared is None else _id(shared.groupId, "context.groupId")
    except (msgspec.MsgspecError, UnicodeDecodeError, _Bad):
        return ""


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start})"
    return str(error)
