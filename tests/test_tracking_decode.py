"""The wire: kinds, ids, clocks and limits, each bad event on its own; real clients' recordings."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.usage.calc.decode import (
    MAX_EVENT_BYTES,
    Arrived,
    BadEvent,
    DecodedEvent,
    Skipped,
    decode_batch,
    decode_event,
    parse_time,
)


def us(text):
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


RECEIVED = us("2026-11-21T08:30:10Z")


def decode(*events, received_at=RECEIVED, is_browser=False, sent_at=None, **batch):
    body = json.dumps({"batch": events, **batch}, ensure_ascii=False).encode()
    return decode_batch(
        body, "batch", received_at, is_browser=is_browser, place="77", sent_at=sent_at
    )


def event(**changes):
    plain = {
        "type": "track",
        "messageId": "m-1",
        "userId": "u-1",
        "event": "报表导出",
        "timestamp": "2026-11-21T08:30:00.123Z",
        "properties": {"rows": 3},
        "context": {"groupId": "acct-1"},
    }
    return {key: value for key, value in (plain | changes).items() if value is not None}


def reason(**changes):
    (found,) = decode(event(**changes))
    assert isinstance(found, BadEvent), found
    return found.reason


def good(**changes):
    (found,) = decode(event(**changes))
    assert isinstance(found, DecodedEvent), found
    return found


def test_track_event_is_decoded_whole():
    found = good()
    assert found.raw == json.dumps(event(), ensure_ascii=False).encode()
    assert (found.position, found.kind, found.message_id) == (0, "track", "m-1")
    assert (found.user_id, found.group_id, found.event) == ("u-1", "acct-1", "报表导出")
    assert found.happened_at == us("2026-11-21T08:30:00Z") + 123_000
    assert json.loads(found.properties) == {"rows": 3}


def test_single_event_takes_its_kind_from_the_path():
    body = json.dumps(event(type=None, event=None, name="首页")).encode()
    (found,) = decode_batch(body, "page", RECEIVED, is_browser=False, place="7")
    assert (found.kind, found.event) == ("page", "首页")


def test_page_without_name_goes_by_its_category():
    assert good(type="page", event=None, category="文档").event == "文档"
    assert good(type="screen", event=None).event == ""


def test_identify_and_group_carry_traits():
    found = good(type="identify", event=None, traits={"name": "李雷"}, properties={"no": 1})
    assert json.loads(found.properties) == {"name": "李雷"}
    found = good(type="group", event=None, groupId="acct-2", traits={"plan": "旗舰版"})
    assert found.group_id == "acct-2"
    assert json.loads(found.properties) == {"plan": "旗舰版"}


def test_identify_finds_the_traits_where_rudder_puts_them():
    context = {"traits": {"name": "李雷"}, "groupId": "acct-1"}
    found = good(type="identify", event=None, traits=None, context=context)
    assert json.loads(found.properties) == {"name": "李雷"}


def test_alias_names_both_ids():
    found = good(type="alias", event=None, previousId="anon-1")
    assert (found.user_id, found.previous_id) == ("u-1", "anon-1")
    assert reason(type="alias", event=None) == "no_user"


def test_group_of_the_batch_serves_events_that_name_none():
    first, second = decode(event(context=None), event(), context={"groupId": "whole"})
    assert (first.group_id, second.group_id) == ("whole", "acct-1")


def test_numbers_serve_as_ids():
    found = good(userId=1001, messageId=5, context={"groupId": 88})
    assert (found.user_id, found.message_id, found.group_id) == ("1001", "5", "88")


def test_event_without_message_id_gets_a_lasting_one():
    found = decode(event(), event(messageId=None))[1]
    assert found.message_id == "77:1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"userId": None}, "no_user"),
        ({"userId": "  "}, "no_user"),
        ({"event": None}, "no_event_name"),
        ({"event": "   "}, "no_event_name"),
        ({"type": None}, "bad_type"),
        ({"type": "metric"}, "bad_type"),
        ({"type": 3}, "bad_shape"),
        ({"userId": True}, "bad_shape"),
        ({"userId": {"id": 1}}, "bad_shape"),
        ({"event": 7}, "bad_shape"),
        ({"properties": [1]}, "bad_shape"),
        ({"properties": "text"}, "bad_shape"),
        ({"context": "text"}, "bad_shape"),
        ({"userId": "u" * 201}, "bad_shape"),
        ({"event": "e" * 201}, "bad_shape"),
        ({"userId": "a\x00b"}, "bad_shape"),
        ({"type": "group", "context": None}, "bad_shape"),
        ({"timestamp": "soon"}, "bad_time"),
        ({"timestamp": ""}, "bad_time"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "bad_time"),
        ({"timestamp": 0}, "bad_time"),
        ({"timestamp": "1999-12-31T23:59:59Z"}, "bad_time"),
        ({"properties": {"a": "x" * MAX_EVENT_BYTES}}, "too_large"),
    ],
)
def test_bad_event_says_why(changes, expected):
    assert reason(**changes) == expected


def test_bad_events_leave_their_neighbours_alone():
    found = decode(event(), 5, None, [], event(userId=None), event(messageId="m-2"))
    assert [type(item) for item in found] == [
        DecodedEvent, BadEvent, BadEvent, BadEvent, BadEvent, DecodedEvent,
    ]  # fmt: skip
    assert [item.position for item in found] == list(range(6))
    assert found[1].raw == b"5"
    assert found[4].group_id == "acct-1"


def test_event_of_exactly_the_limit_is_good():
    room = MAX_EVENT_BYTES - len(
        json.dumps(event(properties={"a": ""}), ensure_ascii=False).encode()
    )
    assert len(good(properties={"a": "x" * room}).raw) == MAX_EVENT_BYTES
    assert reason(properties={"a": "x" * (room + 1)}) == "too_large"


def test_body_that_is_no_batch_is_one_bad_event():
    for body in (b"{}", b"[]", b"nonsense", b'{"batch":[' + b"[" * 90_000):
        (found,) = decode_batch(body, "batch", RECEIVED, is_browser=False, place="7")
        assert (found.reason, found.position, found.raw) == ("bad_shape", 0, body)


# --- clocks


def happened(sent_at=None, timestamp="2026-11-21T08:30:00Z", is_browser=True, header=None, **batch):
    one = event(timestamp=timestamp, sentAt=sent_at)
    (found,) = decode(one, is_browser=is_browser, sent_at=header, **batch)
    return found.happened_at


def test_clock_of_a_browser_that_is_wrong_is_corrected():
    # sent two hours ago by its clock, ten seconds after the event
    assert happened("2026-11-21T06:30:10Z", "2026-11-21T06:30:00Z") == RECEIVED - 10_000_000
    assert happened("1970-01-01T00:00:10Z", "1970-01-01T00:00:00Z") == RECEIVED - 10_000_000


def test_clock_within_a_minute_is_believed():
    assert happened("2026-11-21T08:29:20Z") == us("2026-11-21T08:30:00Z")
    assert happened("2026-11-21T08:29:10Z") == us("2026-11-21T08:31:00Z") - 50_000_000


def test_clock_of_a_server_is_never_corrected():
    # an outage: sent first two hours ago, delivered now
    sent, at = "2026-11-21T06:30:10Z", "2026-11-21T06:30:00Z"
    assert happened(sent, at, is_browser=False) == us(at)


def test_sent_at_is_taken_from_the_transport_then_event_then_batch():
    at = "2026-11-21T06:30:00Z"
    hours = us("2026-11-21T06:30:10Z")
    assert happened(None, at, sentAt="2026-11-21T06:30:10Z") == RECEIVED - 10_000_000
    assert happened("1990-01-01T00:00:00Z", at, header=hours) == RECEIVED - 10_000_000


def test_future_is_clamped_to_the_arrival():
    assert happened(timestamp="2031-01-01T00:00:00Z", is_browser=False) == RECEIVED


def test_missing_time_is_the_arrival_and_an_unreadable_sent_at_says_nothing():
    assert happened(timestamp=None) == RECEIVED
    assert happened("yesterday", is_browser=True) == us("2026-11-21T08:30:00Z")


def test_time_of_the_call_serves_where_the_caller_set_none():
    found = good(timestamp=None, originalTimestamp="2026-11-21T08:00:00Z")
    assert found.happened_at == us("2026-11-21T08:00:00Z")


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-15T08:30:00Z",
        "2026-01-15T16:30:00+08:00",
        "2026-01-15T08:30:00.000+00:00",
        "2026-01-15 08:30:00",
        " 2026-01-15T08:30:00.000000Z ",
        1768465800,
        1768465800.0,
        1768465800000,
    ],
)
def test_time_is_read_in_every_usual_way(value):
    assert parse_time(value) == us("2026-01-15T08:30:00Z")


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2026, 11, 1)))
def test_time_survives_to_the_microsecond(instant):
    text = instant.isoformat() + "Z"
    back = datetime.fromtimestamp(parse_time(text) // 1_000_000, UTC).replace(tzinfo=None)
    assert back == instant.replace(microsecond=0)
    assert parse_time(text) % 1_000_000 == instant.microsecond


# --- anything at all


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_decode_of_any_bytes_gives_events_and_never_fails(body):
    for kind in ("batch", "track", "alias"):
        for found in decode_batch(body, kind, RECEIVED, is_browser=True, place="7"):
            assert isinstance(found, (DecodedEvent, BadEvent))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [*event(), "sentAt", "anonymousId", "groupId", "previousId", "traits", "name"]
)
TYPES = st.sampled_from(["track", "page", "identify", "group", "alias", "screen"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(TYPES, st.dictionaries(FIELDS, JSON, max_size=3)), max_size=4), st.booleans()
)
def test_batch_gives_the_same_as_its_events_one_by_one(parts, is_browser):
    events = [event(type=kind) | changes for kind, changes in parts]
    body = json.dumps({"batch": events}).encode()
    together = decode_batch(body, "batch", RECEIVED, is_browser=is_browser, place="7")
    arrived = Arrived("batch", RECEIVED, is_browser, "7")
    apart = [decode_event(json.dumps(one).encode(), at, arrived) for at, one in enumerate(events)]
    assert together == apart


# --- what real clients sent, recorded

RECORDED = (
    "segment-python",
    "segment-node",
    "segment-browser",
    "rudder-python",
    "rudder-node",
    "rudder-browser",
)


@pytest.mark.parametrize("client", RECORDED)
def test_recorded_requests_of_real_clients_are_understood(shared, client):
    from gengyun.tracking.dialects import KIND_OF

    scenarios = json.loads((shared / "reference" / "recordings" / f"{client}.json").read_text())
    kinds = set()
    for scenario in scenarios.values():
        for request in scenario["requests"]:
            kind = KIND_OF.get(request["path"].rstrip("/"))
            # long batches are recorded by their length only
            if kind is None or request["method"] != "POST" or "batch_len" in request["body"]:
                continue
            body = json.dumps(request["body"], ensure_ascii=False).encode()
            received = us("2026-11-21T19:30:00Z")
            for found in decode_batch(body, kind, received, is_browser=False, place="1"):
                assert isinstance(found, DecodedEvent), (client, found)
                assert not found.message_id.startswith("1:")
                kinds.add(found.kind)
    assert kinds >= {"track"}
    assert len(kinds) >= 5, kinds


# --- what the door notes for browser sources, robots, clocks by library


def from_browser(*events, door, drops_bots=False, kind="batch"):
    from gengyun.tracking.dialects import noted

    body = json.dumps({"batch": events} if kind == "batch" else events[0]).encode()
    return decode_batch(
        noted(body, **door), kind, RECEIVED, is_browser=True, place="1", drops_bots=drops_bots
    )


@pytest.mark.parametrize("kind", ["batch", "track"])
def test_address_of_a_browser_comes_from_the_door(kind):
    (found,) = from_browser(event(), door={"ip": "203.0.113.9"}, kind=kind)
    assert json.loads(found.properties) == {"$ip": "203.0.113.9", "rows": 3}
    # an event that knows better says so; one of a batch cannot speak for the door
    told = event(context={"groupId": "a", "ip": "198.51.100.1"}, _received={"ip": "1.1.1.1"})
    (found,) = from_browser(told, door={"ip": "203.0.113.9"}, kind=kind)
    assert json.loads(found.properties)["$ip"] == "198.51.100.1"
    forged = event(_received={"ip": "1.1.1.1"})
    (found,) = from_browser(forged, door={"ip": "203.0.113.9"}, kind=kind)
    assert json.loads(found.properties)["$ip"] == "203.0.113.9"


def test_address_of_a_server_is_not_kept():
    (found,) = decode(
        event(context={"groupId": "a", "ip": "10.0.0.1"}), _received={"ip": "1.1.1.1"}
    )
    assert json.loads(found.properties) == {"rows": 3}


@pytest.mark.parametrize("kind", ["batch", "track"])
@pytest.mark.parametrize("where", ["door", "context"])
def test_robot_is_left_out_where_the_source_says_so(kind, where):
    robot = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
    made = event(context={"groupId": "a", "userAgent": robot}) if where == "context" else event()
    door = {"agent": robot if where == "door" else "Mozilla/5.0 Chrome/156"}
    (found,) = from_browser(made, door=door, drops_bots=True, kind=kind)
    assert (type(found), found.reason, found.event) == (Skipped, "bot", "报表导出")
    (found,) = from_browser(made, door=door, kind=kind)
    assert isinstance(found, DecodedEvent)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Sogou web spider/4.0", True),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0)", True),
        ("Mozilla/5.0 (X11; Linux) HeadlessChrome/156.0.0.0 Safari/537.36", True),
        ("Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) Chrome/156 Mobile", False),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156", False),
        ("Mozilla/5.0 (iPhone) MicroMessenger/8.0.49 Language/zh_CN", False),
        ("curl/8.5.0", False),
        ("", False),
    ],
)
def test_robots_are_known_by_name(agent, expected):
    from gengyun.usage.calc.bots import is_bot

    assert is_bot(agent) is expected


@pytest.mark.parametrize(
    ("library", "is_browser", "anonymous", "moves"),
    [
        ("analytics.js", False, "anon", True),
        ("RudderLabs JavaScript SDK", False, "anon", True),
        ("analytics.js", False, None, False),  # a server forwards what a browser said
        ("analytics-node", True, "anon", False),
        ("@segment/analytics-node", True, "anon", False),
        ("my own", True, "anon", True),
        ("my own", False, "anon", False),
    ],
)
def test_clock_is_corrected_by_the_library_that_sent_it(library, is_browser, anonymous, moves):
    made = event(
        timestamp="2026-11-21T07:30:00Z", sentAt="2026-11-21T07:30:10Z", anonymousId=anonymous,
        context={"groupId": "a", "library": {"name": library}},
    )  # fmt: skip
    (found,) = decode(made, is_browser=is_browser)
    at = us("2026-11-21T07:30:00Z")
    assert found.happened_at == (RECEIVED - 10_000_000 if moves else at)
