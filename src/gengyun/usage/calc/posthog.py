"""PostHog's dialect of the tracking wire: its events as ours, after segment.com's six kinds.

What comes: one event, or `{api_key, batch: [...], sent_at}` (v0), or v1's batch; the door makes a
list into a batch. The table of what becomes what is in docs/tracking.md.
"""

import re
from typing import Any, TypeAlias

import msgspec

from gengyun.usage.calc.bots import is_bot
from gengyun.usage.calc.checking import (
    Bad,
    door_note,
    happened_at,
    has_clock_of_a_client,
    identifier,
    time_or_none,
    with_ip,
    words,
)
from gengyun.usage.calc.wire import (
    MAX_EVENT_BYTES,
    MAX_ID_CHARS,
    UNREADABLE,
    Arrived,
    BadEvent,
    DecodedEvent,
    Skipped,
    WireTime,
)

POSTHOG = "posthog"  # the path's kind, for v0 and v1
Decoded: TypeAlias = DecodedEvent | BadEvent | Skipped
# the client's own housekeeping, and what a person only touches: no use of the product by itself
IGNORED = frozenset(
    {
        "$autocapture",
        "$copy_autocapture",
        "$dead_click",
        "$feature_flag_called",
        "$feature_enrollment_update",
        "$heatmap",
        "$$heatmap",
        "$opt_in",
        "$pageleave",
        "$performance_event",
        "$rageclick",
        "$snapshot",
        "$snapshot_items",
        "$web_vitals",
        "$$client_ingestion_warning",
    }
)
# of an event's properties, what says something of the client and nothing of the event
_HOUSEKEEPING = frozenset(
    {
        "token",
        "api_key",
        "distinct_id",
        "alias",
        "$set",
        "$set_once",
        "$groups",
        "$group_type",
        "$group_key",
        "$group_set",
        "$anon_distinct_id",
        "$device_id",
        "$user_id",
        "$window_id",
        "$pageview_id",
        "$insert_id",
        "$time",
        "$raw_user_agent",
        "$initialization_time",
        "$recording_status",
        "$config_defaults",
        "$process_person_profile",
        "$is_identified",
        "$is_server",
        "$geoip_disable",
        "$browser_type",
    }
)
_HOUSEKEEPING_PREFIXES = ("$sdk_", "$lib_", "$session_entry_", "$initial_", "$configured_")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOTHING = msgspec.Raw(b"null")


class PosthogEvent(msgspec.Struct, gc=False):
    """One event as PostHog's clients write it; what is not named here is ignored."""

    event: str | None = None
    uuid: str | int | None = None
    distinct_id: str | int | float | None = None
    timestamp: WireTime = None
    offset: int | float | None = None  # old browsers: milliseconds since it happened
    properties: dict[str, Any] | None = None
    set: msgspec.Raw = msgspec.field(name="$set", default=_NOTHING)
    set_once: msgspec.Raw = msgspec.field(name="$set_once", default=_NOTHING)


class PosthogEnvelope(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw] | None = None
    sent_at: WireTime = None
    received: msgspec.Raw = msgspec.field(name="_received", default=_NOTHING)


_ENVELOPE = msgspec.json.Decoder(PosthogEnvelope)
_EVENT = msgspec.json.Decoder(PosthogEvent)


def decode_posthog(body: bytes, arrived: Arrived) -> list[Decoded]:
    """The events of one request, in its order; some become two of ours."""
    try:
        envelope = _ENVELOPE.decode(body)
    except UNREADABLE as error:
        return [BadEvent(0, "bad_shape", words(error), "", arrived.sent_at, body)]
    sent_at = arrived.sent_at
    if sent_at is None:
        sent_at = time_or_none(envelope.sent_at)
    arrived = msgspec.structs.replace(
        arrived, sent_at=sent_at, received=door_note(envelope.received)
    )
    raws = [body] if envelope.batch is None else [bytes(raw) for raw in envelope.batch]
    return [
        event for at, raw in enumerate(raws) for event in decode_posthog_event(raw, at, arrived)
    ]


def decode_posthog_event(raw: bytes, position: int, arrived: Arrived) -> list[Decoded]:
    """One event: first what it is, then an identify where it describes its user by the way."""
    group_id = ""
    if len(raw) > MAX_EVENT_BYTES:
        detail = f"{len(raw)} bytes, at most {MAX_EVENT_BYTES}"
        return [BadEvent(position, "too_large", detail, "", arrived.sent_at, raw)]
    try:
        event = _EVENT.decode(raw)
    except UNREADABLE as error:
        detail = words(error)[:300]
        return [BadEvent(position, "bad_shape", detail, "", arrived.sent_at, raw)]
    try:
        reader = _Reader(event, raw, position, arrived)
        group_id = reader.group_id()
        reason = reader.why_skipped()
        if reason:
            name = (event.event or "")[:MAX_ID_CHARS]
            return [Skipped(position, reason, name, group_id, raw)]
        return reader.events(group_id)
    except Bad as bad:
        detail = bad.detail[:300]
        return [BadEvent(position, bad.reason, detail, group_id, arrived.sent_at, raw)]


class _Reader:
    """One PostHog event, read in our words."""

    def __init__(self, event: PosthogEvent, raw: bytes, position: int, arrived: Arrived) -> None:
        self.event = event
        self.raw = raw
        self.position = position
        self.arrived = arrived
        self.properties = event.properties or {}
        self.name = (event.event or "").strip()
        received = arrived.received
        library = self.properties.get("$lib") or ("" if received is None else received.library)
        self.library = library if isinstance(library, str) else ""
        told = event.distinct_id
        if told in (None, ""):
            told = self.properties.get("distinct_id")
        self.distinct_id = _id(told, "distinct_id")

    def why_skipped(self) -> str:
        """ "bot", "ignored" or nothing."""
        received = self.arrived.received
        if self.arrived.drops_bots:
            told = self.properties.get("$raw_user_agent")
            agent = told if isinstance(told, str) and told else (received.agent if received else "")
            if is_bot(agent):
                return "bot"
        if self.name in IGNORED:
            return "ignored"
        is_group = self.name == "$groupidentify"
        if is_group and self.properties.get("$group_type") != self.arrived.group_type:
            return "ignored"  # a group of another kind: a team, a project
        return ""

    def group_id(self) -> str:
        """The customer's id: of the group type that the source says."""
        if self.name == "$groupidentify":
            if self.properties.get("$group_type") == self.arrived.group_type:
                return _id(self.properties.get("$group_key"), "$group_key")
            return ""
        groups = self.properties.get("$groups")
        if isinstance(groups, dict):
            return _id(groups.get(self.arrived.group_type), "$groups")
        return ""

    def events(self, group_id: str) -> list[Decoded]:
        name = self.name
        if name == "$groupidentify":
            if not group_id:
                raise Bad("bad_shape", "$groupidentify needs $group_key")
            traits = _object(self.properties.get("$group_set"))
            return [self._made("group", self._who_named_the_group(), group_id, "", traits)]
        if name in {"$create_alias", "$merge_dangerously"}:
            return [self._alias(group_id)]
        who = self._who()
        if not any(who):
            raise Bad("no_user", "no distinct_id")
        traits = self._traits()
        if name in {"$identify", "$set"}:
            if name == "$identify":
                visitor = _id(self.properties.get("$anon_distinct_id"), "$anon_distinct_id")
                who = (self.distinct_id, visitor)
            return [self._made("identify", who, group_id, "", traits)]
        kind, shown = self._kind()
        found = self._made(kind, who, group_id, shown, self._kept())
        user_id = who[0]
        if not traits or not user_id:
            return [found]
        # never to quarantine, where one place holds one event: it names no customer at all
        traits = {key: value for key, value in traits.items() if key != "company"}
        extra = self._made("identify", (user_id, ""), "", "", traits)
        extra.message_id = f"{found.message_id}:set"[-MAX_ID_CHARS:]
        return [found, extra]

    def _kind(self) -> tuple[str, str]:
        if self.name in {"$pageview", "$screen"}:
            said = self.properties
            names = ("$screen_name", "title", "$pathname", "$current_url")
            shown = next((said[key] for key in names if isinstance(said.get(key), str)), "")
            return ("page" if self.name == "$pageview" else "screen"), shown.strip()[:MAX_ID_CHARS]
        if not self.name:
            raise Bad("no_event_name", "the event has no name")
        return "track", _id(self.name, "event")

    def _who(self) -> tuple[str, str]:
        """User and visitor: a client's made-up id is nobody yet."""
        said, distinct_id = self.properties, self.distinct_id
        if said.get("$is_identified") is False:
            return "", distinct_id
        if said.get("$process_person_profile") is False and _UUID.fullmatch(distinct_id):
            return "", distinct_id
        return distinct_id, ""

    def _who_named_the_group(self) -> tuple[str, str]:
        """Servers make an id up where the caller gave none: no person comes of it."""
        kind = self.properties.get("$group_type")
        is_made_up = self.distinct_id.startswith(f"${kind}_") or (
            self.properties.get("$lib") != "web" and _UUID.fullmatch(self.distinct_id) is not None
        )
        return ("", "") if is_made_up else self._who()

    def _alias(self, group_id: str) -> DecodedEvent:
        """Two ids of one person. The Python client names the old one first, the others last."""
        other = _id(self.properties.get("alias"), "alias")
        if not (self.distinct_id and other):
            raise Bad("no_user", "an alias needs distinct_id and alias")
        user_id, previous_id = self.distinct_id, other
        if self.library.startswith("posthog-python"):
            user_id, previous_id = other, self.distinct_id
        found = self._made("alias", (user_id, ""), group_id, "merge", {})
        found.previous_id = previous_id
        return found

    def _traits(self) -> dict[str, Any]:
        """What the event says of its user; "$set_once" stands apart: it replaces nothing."""
        once: dict[str, Any] = {}
        traits: dict[str, Any] = {}
        for raw, name, into in (
            (self.event.set_once, "$set_once", once),
            (self.event.set, "$set", traits),
        ):
            said = self.properties.get(name) if bytes(raw) == b"null" else _decoded(raw)
            into.update(_object(said))
        once = {k: v for k, v in once.items() if v is not None and not k.startswith("$")}
        return traits | ({"$set_once": once} if once else {})

    def _kept(self) -> dict[str, Any]:
        return {
            key: value
            for key, value in self.properties.items()
            if value is not None
            and key not in _HOUSEKEEPING
            and not key.startswith(_HOUSEKEEPING_PREFIXES)
        }

    def _made(
        self, kind: str, who: tuple[str, str], group_id: str, name: str, properties: dict[str, Any]
    ) -> DecodedEvent:
        arrived = self.arrived
        user_id, anonymous_id = who
        text = msgspec.json.encode(properties).decode() if properties else ""
        if arrived.is_browser and kind in {"track", "page", "screen"}:
            text = with_ip(text, "" if arrived.received is None else arrived.received.ip)
        message_id = _id(self.event.uuid or self.properties.get("$insert_id"), "uuid")
        return DecodedEvent(
            self.position,
            kind,
            message_id or f"{arrived.place}:{self.position}",
            user_id,
            anonymous_id,
            "",
            group_id,
            name,
            self._happened_at(),
            arrived.sent_at,
            text,
            msgspec.Raw(self.raw),
        )

    def _happened_at(self) -> int:
        arrived, event = self.arrived, self.event
        claimed, corrects = event.timestamp, False
        if claimed is None and event.offset is not None:
            claimed = arrived.received_at / 1_000_000 - event.offset / 1_000
        elif arrived.sent_at is not None:
            corrects = has_clock_of_a_client(self.library, is_browser=arrived.is_browser)
        return happened_at(
            claimed, received_at=arrived.received_at, sent_at=arrived.sent_at, corrects=corrects
        )


def _id(value: object, field: str) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return identifier(str(value), field)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _decoded(raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except UNREADABLE:
        return None
