"""What every dialect of the tracking wire checks in the same way: ids, times, shapes."""

import msgspec

from gengyun.usage.calc.wire import (
    CLOCK_TOLERANCE_US,
    EARLIEST_US,
    MAX_ID_CHARS,
    UNREADABLE,
    Id,
    Received,
    WireTime,
    parse_time,
)

# libraries in browsers and phones: their clocks are anybody's guess
CLIENT_LIBRARIES = (
    "analytics.js",
    "rudderlabs javascript",
    "web",
    "@segment/analytics-react-native",
    "analytics-kotlin",
    "analytics-swift",
    "analytics-android",
    "analytics-ios",
    "posthog-ios",
    "posthog-android",
    "posthog-flutter",
    "posthog-react-native",
)
# of servers, in whatever source: some keep the first sentAt when they try again after an outage,
# which would move the event to the time of the retry
SERVER_LIBRARIES = (
    "analytics-node",
    "@segment/analytics-node",
    "analytics-python",
    "rudder-analytics-python",
    "posthog-node",
    "posthog-python",
)


_RECEIVED = msgspec.json.Decoder(Received | None)


class Bad(Exception):
    """The event cannot be used: a `QuarantinedEvent.Reason` and why."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


def identifier(value: Id, field: str) -> str:
    """An id as text without blanks around it; "" for none."""
    if value is None or value == "":
        return ""
    text = str(value).strip()
    if len(text) > MAX_ID_CHARS:
        raise Bad("bad_shape", f"{field} has {len(text)} characters, at most {MAX_ID_CHARS}")
    if "\x00" in text:
        raise Bad("bad_shape", f"{field} holds a NUL character")
    return text


def has_clock_of_a_client(library: str, *, is_browser: bool) -> bool:
    """Whether sentAt may correct this event's time: the library if it is known, else the source."""
    name = library.lower()
    if is_browser:
        return not name.startswith(SERVER_LIBRARIES)
    return name.startswith(CLIENT_LIBRARIES)


def happened_at(claimed: WireTime, *, received_at: int, sent_at: int | None, corrects: bool) -> int:
    """When it happened, by our clock; the rules and their reasons are in docs/tracking.md.

    Segment's formula, happened = received - (sent - claimed), only where `corrects` and only when
    the two clocks differ by a minute or more; never later than the arrival.
    """
    if claimed is None:
        return received_at
    try:
        happened = parse_time(claimed)
    except (ValueError, OverflowError):
        raise Bad("bad_time", f"timestamp {claimed!r:.60} is not a time") from None
    if corrects and sent_at is not None:
        skew = received_at - sent_at
        if abs(skew) >= CLOCK_TOLERANCE_US:
            happened += skew
    if happened < EARLIEST_US:
        raise Bad("bad_time", f"timestamp {claimed!r:.60} is before the year 2000")
    return min(happened, received_at)


def time_or_none(value: WireTime) -> int | None:
    """A sentAt nobody can read says nothing about the clock; the event itself is still good."""
    if value is None:
        return None
    try:
        return parse_time(value)
    except (ValueError, OverflowError):
        return None


def door_note(raw: msgspec.Raw) -> Received | None:
    """What the door appended to the body; None when it is not of that shape."""
    try:
        found: Received | None = _RECEIVED.decode(raw)
    except UNREADABLE:
        return None
    return found


def words(error: Exception) -> str:
    """What is wrong with the JSON, for the developer who sent it."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start})"
    return str(error)


def text_of(raw: msgspec.Raw) -> str:
    """A JSON string's text; "" for anything else."""
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def with_ip(properties: str, ip: str) -> str:
    """The address that the request came from, beside what the client said (JSON text)."""
    if not ip or '"$ip"' in properties:
        return properties
    member = f'"$ip":{msgspec.json.encode(ip).decode()}'
    return f"{{{member}}}" if properties in {"", "{}"} else f"{{{member},{properties[1:].lstrip()}"
