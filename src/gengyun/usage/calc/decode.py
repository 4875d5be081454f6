"""The wire of the tracking API: request bodies to events, each good or bad with a reason.

The wire is Segment's; PostHog's dialect is in `posthog`. One bad event never spoils its neighbours:
it comes back as `BadEvent` with the JSON that came, to wait in quarantine. Instants are
microseconds since 1970 UTC.
"""

import msgspec

from gengyun.usage.calc.bots import is_bot
from gengyun.usage.calc.checking import (
    Bad,
    door_note,
    happened_at,
    has_clock_of_a_client,
    identifier,
    text_of,
    time_or_none,
    with_ip,
    words,
)
from gengyun.usage.calc.plain import plain_events
from gengyun.usage.calc.posthog import POSTHOG, decode_posthog, decode_posthog_event
from gengyun.usage.calc.wire import (
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
    Library,
    Single,
    Skipped,
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
    "Skipped",
    "decode_batch",
    "decode_event",
    "parse_time",
]


_ENVELOPE = msgspec.json.Decoder(Envelope)
_EVENT = msgspec.json.Decoder(Event)
_CONTEXT = msgspec.json.Decoder(Context | None)
_LIBRARY = msgspec.json.Decoder(Library | None)


def decode_batch(
    body: bytes,
    kind: str,
    received_at: int,
    *,
    is_browser: bool,
    place: str,
    sent_at: int | None = None,
    group_type: str = "company",
    drops_bots: bool = False,
) -> list[DecodedEvent | BadEvent | Skipped]:
    """The events of one request body, in its order; the arguments are those of `Arrived`."""
    arrived = Arrived(
        kind, received_at, is_browser, place, sent_at, "", group_type, is_browser and drops_bots
    )
    if kind == POSTHOG:
        return decode_posthog(body, arrived)
    if kind != "batch":
        return [decode_event(body, 0, arrived)]
    try:
        envelope = _ENVELOPE.decode(body)
    except UNREADABLE as error:
        return [BadEvent(0, "bad_shape", words(error), "", sent_at, body)]
    if sent_at is None:
        sent_at = time_or_none(envelope.sentAt)
    arrived = msgspec.structs.replace(
        arrived,
        sent_at=sent_at,
        group_id=_shared_group(envelope.context),
        received=door_note(envelope.received) if is_browser else None,
    )
    raws = envelope.batch
    plain, whole = plain_events(body, raws, arrived)
    if whole:
        return list(plain)
    found = {event.position: event for event in plain}
    return [found.get(at) or decode_event(bytes(raw), at, arrived) for at, raw in enumerate(raws)]


def decode_event(raw: bytes, position: int, arrived: Arrived) -> DecodedEvent | BadEvent | Skipped:
    """One event of a request; also on its own, as quarantine keeps it."""
    if arrived.kind == POSTHOG:
        return decode_posthog_event(raw, position, arrived)[0]
    if len(raw) > MAX_EVENT_BYTES:
        detail = f"{len(raw)} bytes, at most {MAX_EVENT_BYTES}"
        return BadEvent(position, "too_large", detail, arrived.group_id, arrived.sent_at, raw)
    try:
        event = _EVENT.decode(raw)
    except UNREADABLE as error:
        detail = words(error)[:300]
        return BadEvent(position, "bad_shape", detail, arrived.group_id, arrived.sent_at, raw)
    if arrived.is_browser and arrived.kind != "batch":  # of a batch, the door noted it outside
        arrived = msgspec.structs.replace(arrived, received=door_note(event.received))
    try:
        if arrived.drops_bots and is_bot(_agent(event, arrived)):
            name = (event.event or event.name or "")[:MAX_ID_CHARS]
            return Skipped(position, "bot", name, _group_to_show(event)[:MAX_ID_CHARS], raw)
        return _checked(event, raw, position, arrived)
    except Bad as bad:
        group_id = _group_to_show(event) or arrived.group_id
        sent_at = arrived.sent_at if arrived.sent_at is not None else time_or_none(event.sentAt)
        return BadEvent(position, bad.reason, bad.detail[:300], group_id, sent_at, raw)


def _checked(event: Event, raw: bytes, position: int, arrived: Arrived) -> DecodedEvent:
    kind = arrived.kind
    if kind == "batch":
        kind = event.type or ""
        if kind not in KINDS:
            raise Bad("bad_type", f"type {event.type!r:.60} is none of {sorted(KINDS)}")
    sent_at = arrived.sent_at
    if sent_at is None and event.sentAt is not None:
        sent_at = time_or_none(event.sentAt)
    name = _name(event, kind)
    user_id, anonymous_id, previous_id = _who(event, kind)
    group_id = _group(event) or arrived.group_id
    if kind == "group" and not group_id:
        raise Bad("bad_shape", "group needs groupId")
    return DecodedEvent(
        position,
        kind,
        identifier(event.messageId, "messageId") or f"{arrived.place}:{position}",
        user_id,
        anonymous_id,
        previous_id,
        group_id,
        name,
        _happened_at(event, arrived, sent_at),
        sent_at,
        _properties(event, kind, arrived),
        msgspec.Raw(raw),
    )


def _who(event: Event, kind: str) -> tuple[str, str, str]:
    user_id = identifier(event.userId, "userId")
    anonymous_id = identifier(event.anonymousId, "anonymousId")
    if kind == "alias":
        previous_id = identifier(event.previousId, "previousId")
        if not (user_id and previous_id):
            raise Bad("no_user", "alias needs userId and previousId")
        return user_id, anonymous_id, previous_id
    if not (user_id or anonymous_id):
        raise Bad("no_user", "neither userId nor anonymousId")
    return user_id, anonymous_id, ""


def _group(event: Event) -> str:
    if event.groupId is not None:
        return identifier(event.groupId, "groupId")
    context = event.context
    if context is not None and context.groupId is not None:
        return identifier(context.groupId, "context.groupId")
    return ""


def _group_to_show(event: Event) -> str:
    try:
        return _group(event)
    except Bad:
        return ""


def _happened_at(event: Event, arrived: Arrived, sent_at: int | None) -> int:
    # a caller's own timestamp; originalTimestamp is the time of the call (Rudder sends that one)
    claimed = event.timestamp if event.timestamp is not None else event.originalTimestamp
    corrects = False
    # a server's events name no anonymousId, those of a browser always do
    if sent_at is not None and (arrived.is_browser or event.anonymousId):
        library = _library(event)
        corrects = has_clock_of_a_client(library, is_browser=arrived.is_browser)
    return happened_at(claimed, received_at=arrived.received_at, sent_at=sent_at, corrects=corrects)


def _library(event: Event) -> str:
    if event.context is None:
        return ""
    try:
        library = _LIBRARY.decode(event.context.library)
    except UNREADABLE:
        return ""
    return "" if library is None else library.name


def _agent(event: Event, arrived: Arrived) -> str:
    """The user agent that the event tells, else the one that the request came with."""
    told = "" if event.context is None else text_of(event.context.userAgent)
    return told or ("" if arrived.received is None else arrived.received.agent)


def _name(event: Event, kind: str) -> str:
    if kind == "track":
        if not event.event or not event.event.strip():
            raise Bad("no_event_name", "track needs a non-empty event")
        return identifier(event.event, "event")
    if kind in {"page", "screen"}:
        return identifier(event.name or event.category or "", "name")
    return ""


def _properties(event: Event, kind: str, arrived: Arrived) -> str:
    field = "traits" if kind in {"identify", "group"} else "properties"
    raw = bytes(event.traits if field == "traits" else event.properties)
    if raw == b"null" and kind == "identify" and event.context is not None:
        raw = bytes(event.context.traits)  # where Rudder's clients put them
    if raw in {b"null", b"{}"}:
        raw = b""
    elif not raw.startswith(b"{"):
        raise Bad("bad_shape", f"{field} is not an object")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Bad("bad_shape", f"{field}: {words(error)}") from None
    if arrived.is_browser and field == "properties" and kind != "alias":
        told = "" if event.context is None else text_of(event.context.ip)
        return with_ip(text, told or ("" if arrived.received is None else arrived.received.ip))
    return text


def _shared_group(context: msgspec.Raw) -> str:
    """The group that the batch's own context names for all of its events."""
    try:
        shared = _CONTEXT.decode(context)
        return "" if shared is None else identifier(shared.groupId, "context.groupId")
    except (msgspec.MsgspecError, UnicodeDecodeError, Bad):
        return ""
