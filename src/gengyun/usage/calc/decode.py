"""The wire of the tracking API: request bodies to events, each good or bad with a reason.

The wire is Segment's. One bad event never spoils its neighbours: it comes back as `BadEvent` with
the JSON that came, to wait in quarantine. Instants are microseconds since 1970 UTC.
"""

import msgspec

from gengyun.usage.calc.plain import plain_events
from gengyun.usage.calc.wire import (
    CLOCK_TOLERANCE_US,
    EARLIEST_US,
    KINDS,
    MAX_EVENT_BYTES,
    MAX_ID_CHARS,
    UNREADABLE,
    Arrived,
    BadEvent,
    Context,
    DecodedEvent,
    Envelope,
    Event,
    Id,
    Single,
    WireTime,
    parse_time,
)

__all__ = [
    "KINDS",
    "MAX_EVENT_BYTES",
    "Arrived",
    "BadEvent",
    "DecodedEvent",
    "Envelope",
    "Single",
    "decode_batch",
    "decode_event",
    "parse_time",
]


class _Bad(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


_ENVELOPE = msgspec.json.Decoder(Envelope)
_EVENT = msgspec.json.Decoder(Event)
_CONTEXT = msgspec.json.Decoder(Context | None)


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
    except UNREADABLE as error:
        return [BadEvent(0, "bad_shape", _words(error), "", sent_at, body)]
    if sent_at is None:
        sent_at = _time_or_none(envelope.sentAt)
    arrived = Arrived(
        kind, received_at, is_browser, place, sent_at, _shared_group(envelope.context)
    )
    raws = envelope.batch
    plain, whole = plain_events(body, raws, arrived)
    if whole:
        return list(plain)
    found = {event.position: event for event in plain}
    return [found.get(at) or decode_event(bytes(raw), at, arrived) for at, raw in enumerate(raws)]


def decode_event(raw: bytes, position: int, arrived: Arrived) -> DecodedEvent | BadEvent:
    """One event of a request; also on its own, as quarantine keeps it."""
    if len(raw) > MAX_EVENT_BYTES:
        detail = f"{len(raw)} bytes, at most {MAX_EVENT_BYTES}"
        return BadEvent(position, "too_large", detail, arrived.group_id, arrived.sent_at, raw)
    try:
        event = _EVENT.decode(raw)
    except UNREADABLE as error:
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
        msgspec.Raw(raw),
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
