"""The quick way through a batch: events with nothing to mend, which are nearly all of them.

It must give exactly what `decode.decode_event` gives, or nothing (tests hold the two together).
"""

import contextlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Annotated, Literal, TypeAlias

import msgspec

from gengyun.usage.calc.wire import (
    EARLIEST_US,
    MAX_EVENT_BYTES,
    MAX_ID_CHARS,
    UNREADABLE,
    Arrived,
    DecodedEvent,
    Id,
    WireTime,
    parse_time,
)

ShortText: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_CHARS)]
MILLISECONDS = len("2026-03-01T10:00:00.123Z")  # longer ones differ too much to be remembered


class PlainContext(msgspec.Struct, gc=False):
    groupId: ShortText  # noqa: N815


class PlainEvent(msgspec.Struct, gc=False):
    """What nearly every event is: a track event of a named user and customer.

    The decoder checks all that types can say; fields without use here are those of `Event`, so
    that what is wrong there is wrong here.
    """

    type: Literal["track"]
    messageId: ShortText  # noqa: N815
    userId: ShortText  # noqa: N815
    event: ShortText
    timestamp: str
    properties: msgspec.Raw
    context: PlainContext
    anonymousId: None = None  # noqa: N815
    groupId: None = None  # noqa: N815
    sentAt: None = None  # noqa: N815
    previousId: Id = None  # noqa: N815
    originalTimestamp: WireTime = None  # noqa: N815
    name: str | None = None
    category: str | None = None


class PlainBatch(msgspec.Struct, gc=False):
    """A batch with nothing but plain events, read in one pass."""

    batch: list[PlainEvent]


_BATCH = msgspec.json.Decoder(PlainBatch)
_ONE = msgspec.json.Decoder(PlainEvent)
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_REST = re.compile(r"(\.[0-9]{1,6})?Z?")


def plain_events(
    body: bytes, raws: Sequence[msgspec.Raw], arrived: Arrived
) -> tuple[list[DecodedEvent], bool]:
    """The plain events of a batch, and whether that is all of them. `raws` is each one's JSON."""
    # only a server's clock is believed without a look; a NUL may be where no text can hold it
    if not raws or arrived.is_browser or (b"\\" in body and b"\\u0000" in body):
        return [], False
    try:
        events = _BATCH.decode(body).batch
    except UNREADABLE:
        return _among_others(raws, arrived), False
    found = _together(events, range(len(raws)), raws, arrived)
    return found or [], found is not None


def _among_others(raws: Sequence[msgspec.Raw], arrived: Arrived) -> list[DecodedEvent]:
    plain: dict[int, PlainEvent] = {}
    for at, raw in enumerate(raws):
        with contextlib.suppress(*UNREADABLE):
            plain[at] = _ONE.decode(raw)
    if not plain:
        return []
    return _together(list(plain.values()), plain, [raws[at] for at in plain], arrived) or []


def _together(
    events: Sequence[PlainEvent],
    positions: Iterable[int],
    raws: Sequence[msgspec.Raw],
    arrived: Arrived,
) -> list[DecodedEvent] | None:
    """Plain events column by column, which costs half of one by one.

    None: something is to mend or to refuse; the careful way gives the same for all others.
    """
    users = [event.userId for event in events]
    names = [event.event for event in events]
    groups = [event.context.groupId for event in events]
    messages = [event.messageId for event in events]
    if max(map(len, raws)) > MAX_EVENT_BYTES or any(
        list(map(str.strip, column)) != column for column in (users, names, groups, messages)
    ):
        return None
    try:
        happened = [
            _to_the_second(text[:19]) + _after_the_second(text[19:])
            if len(text) <= MILLISECONDS
            else parse_time(text)
            for text in [event.timestamp for event in events]
        ]
        # all in one: no control character stands bare in JSON, so NUL parts them again
        joined = b"\x00".join([event.properties for event in events])
        properties = joined.decode().split("\x00")
    except (ValueError, OverflowError):
        return None
    if len(properties) != len(events) or {text[:1] for text in properties} != {"{"}:
        return None
    if min(happened) < EARLIEST_US:
        return None
    if max(happened) > arrived.received_at:
        happened = [min(at, arrived.received_at) for at in happened]
    if "{}" in properties:
        properties = ["" if text == "{}" else text for text in properties]
    nobody = repeat("")
    return list(
        map(
            DecodedEvent,
            positions,
            repeat("track"),
            messages,
            users,
            nobody,
            nobody,
            groups,
            names,
            happened,
            repeat(arrived.sent_at),
            properties,
            raws,
        )
    )


@lru_cache(maxsize=8_192)
def _to_the_second(text: str) -> int:
    """`parse_time` of the first part of a time; the events of a batch share few of them."""
    if _SECOND.fullmatch(text) is None:
        raise ValueError(text)
    return parse_time(text)


@lru_cache(maxsize=8_192)
def _after_the_second(text: str) -> int:
    """What fraction and zone add to it: of milliseconds there are only a thousand."""
    if _REST.fullmatch(text) is None:
        raise ValueError(text)
    return parse_time(f"2000-01-01T00:00:00{text}") - EARLIEST_US
