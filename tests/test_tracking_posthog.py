"""PostHog's dialect: each event as ours, robots and housekeeping left out, bad ones with a reason."""

import base64
import gzip
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.tracking.body import checked_body
from gengyun.tracking.dialects import noted, v1_results
from gengyun.usage.calc.decode import BadEvent, DecodedEvent, Skipped, decode_batch

RECEIVED = int(datetime(2026, 11, 21, 8, 30, 10, tzinfo=UTC).timestamp()) * 1_000_000
AT = "2026-11-21T08:30:00.000Z"
AT_US = RECEIVED - 10_000_000
USER = "u_1001"
UUID = "01a1ff97-9c4e-7e57-8e28-8bc631e513c8"
ROBOT = "Mozilla/5.0 (compatible; Baiduspider/2.0)"


def event(name, properties=None, **fields):
    made = {"event": name, "distinct_id": USER, "timestamp": AT, "uuid": f"m-{name}"}
    return made | {"properties": properties or {}} | fields


def decode(*events, is_browser=False, group_type="company", drops_bots=False, door=None, **batch):
    body = json.dumps({"api_key": "k", "batch": events, **batch}, ensure_ascii=False).encode()
    if door:
        body = noted(body, **door)
    return decode_batch(
        body, "posthog", RECEIVED, is_browser=is_browser, place="77",
        group_type=group_type, drops_bots=drops_bots,
    )  # fmt: skip


def one(*args, **kwargs):
    (found,) = decode(*args, **kwargs)
    assert isinstance(found, DecodedEvent), found
    return found


def test_plain_event_is_a_track_event_of_its_customer():
    found = one(event("报表导出", {"rows": 3, "$groups": {"company": "acct_88"}, "$lib": "x"}))
    assert (found.kind, found.event, found.user_id, found.group_id) == (
        "track", "报表导出", USER, "acct_88",
    )  # fmt: skip
    assert (found.message_id, found.happened_at) == ("m-报表导出", AT_US)
    assert json.loads(found.properties) == {"rows": 3, "$lib": "x"}


def test_group_type_of_the_source_names_the_customer():
    groups = {"$groups": {"organization": 7, "team": "t"}}
    assert one(event("x", groups), group_type="organization").group_id == "7"
    assert one(event("x", groups)).group_id == ""


def test_page_and_screen_have_names():
    found = one(event("$pageview", {"title": "首页", "$pathname": "/home", "token": "k"}))
    assert (found.kind, found.event) == ("page", "首页")
    assert json.loads(found.properties) == {"title": "首页", "$pathname": "/home"}
    assert one(event("$screen", {"$screen_name": "看板"})).event == "看板"


@pytest.mark.parametrize(
    ("name", "properties", "fields"),
    [
        ("$identify", {"$set": {"name": "李雷"}}, {}),
        ("$identify", {}, {"$set": {"name": "李雷"}}),
        ("$set", {}, {"$set": {"name": "李雷"}}),
    ],
)
def test_identify_and_set_describe_the_user(name, properties, fields):
    found = one(event(name, {"$anon_distinct_id": "anon-1"} | properties, **fields))
    assert (found.kind, found.user_id) == ("identify", USER)
    assert json.loads(found.properties) == {"name": "李雷"}
    assert found.anonymous_id == ("anon-1" if name == "$identify" else "")


def test_set_once_stands_apart_without_the_clients_own_words():
    once = {"$initial_referrer": "$direct", "utm_source": None, "plan": "旗舰版"}
    found = one(event("$identify", **{"$set": {"name": "李雷"}, "$set_once": once}))
    assert json.loads(found.properties) == {"name": "李雷", "$set_once": {"plan": "旗舰版"}}


def test_event_that_describes_its_user_by_the_way_is_two():
    track, identify = decode(event("登录", {"$set": {"name": "李雷"}, "$groups": {"company": "a"}}))
    assert (track.kind, identify.kind) == ("track", "identify")
    assert identify.message_id == "m-登录:set"
    assert (identify.user_id, identify.group_id) == (USER, "")


@pytest.mark.parametrize(
    ("distinct_id", "lib", "user"),
    [
        ("$company_acct_88", "posthog-node", ""),
        (UUID, "posthog-python", ""),
        (USER, "posthog-python", USER),
        (USER, "web", USER),
    ],
)
def test_group_identify_makes_no_person_of_a_made_up_id(distinct_id, lib, user):
    said = {"$group_type": "company", "$group_key": "acct_88", "$group_set": {"name": "晨曦"}}
    found = one(event("$groupidentify", said | {"$lib": lib}, distinct_id=distinct_id))
    assert (found.kind, found.group_id, found.user_id) == ("group", "acct_88", user)
    assert json.loads(found.properties) == {"name": "晨曦"}
    assert one(event("$groupidentify", said | {"$is_identified": False})).anonymous_id == USER


@pytest.mark.parametrize(
    ("lib", "distinct_id", "alias"),
    [("posthog-python", "anon-7", USER), ("posthog-node", USER, "anon-7"), ("web", USER, "anon-7")],
)
def test_alias_is_read_in_the_direction_of_its_library(lib, distinct_id, alias):
    said = {"alias": alias, "distinct_id": distinct_id, "$lib": lib}
    found = one(event("$create_alias", said, distinct_id=distinct_id))
    assert (found.kind, found.event) == ("alias", "merge")
    assert (found.previous_id, found.user_id) == ("anon-7", USER)


def test_visitor_is_nobody_yet():
    for properties in ({"$is_identified": False}, {"$process_person_profile": False}):
        found = one(event("x", properties, distinct_id=UUID))
        assert (found.user_id, found.anonymous_id) == ("", UUID)
    # a server that wants no profile still knows its user
    assert one(event("x", {"$process_person_profile": False})).user_id == USER


@pytest.mark.parametrize("name", ["$autocapture", "$feature_flag_called", "$pageleave"])
def test_housekeeping_is_left_out_and_said(name):
    (found,) = decode(event(name))
    assert isinstance(found, Skipped)
    assert (found.reason, found.event) == ("ignored", name)


def test_group_of_another_type_is_left_out():
    (found,) = decode(event("$groupidentify", {"$group_type": "team", "$group_key": "1"}))
    assert (type(found), found.reason) == (Skipped, "ignored")


def test_robot_of_a_browser_source_is_left_out_only_where_asked():
    robot = event("x", {"$raw_user_agent": ROBOT})
    (found,) = decode(robot, is_browser=True, drops_bots=True)
    assert (type(found), found.reason) == (Skipped, "bot")
    (found,) = decode(event("x"), is_browser=True, drops_bots=True, door={"agent": ROBOT})
    assert type(found) is Skipped
    assert one(robot, is_browser=True).kind == "track"
    assert one(robot, drops_bots=True).kind == "track"


def test_address_comes_from_the_door_and_only_for_browsers():
    found = one(event("x", {"a": 1}), is_browser=True, door={"ip": "203.0.113.9"})
    assert json.loads(found.properties) == {"$ip": "203.0.113.9", "a": 1}
    found = one(event("x", {"$ip": "10.0.0.1"}), is_browser=True, door={"ip": "203.0.113.9"})
    assert json.loads(found.properties) == {"$ip": "10.0.0.1"}
    assert one(event("x"), door={"ip": "203.0.113.9"}).properties == ""
    # what the client calls itself does not count: the door's word is the last
    assert '"1.1.1.1"' not in one(
        event("x"), is_browser=True, door={"ip": "203.0.113.9"}, _received={"ip": "1.1.1.1"}
    ).properties  # fmt: skip


def test_clock_of_a_browser_is_corrected_and_that_of_a_server_is_not():
    early = {"timestamp": "2026-11-21T07:30:00.000Z"}
    sent_at = "2026-11-21T07:30:10.000Z"
    web = one(event("x", {"$lib": "web"}, **early), sent_at=sent_at)
    assert web.happened_at == AT_US
    server = one(event("x", {"$lib": "posthog-node"}, **early), sent_at=sent_at, is_browser=True)
    assert server.happened_at == AT_US - 3_600_000_000
    assert one(event("x", timestamp=None, offset=10_000)).happened_at == AT_US


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (event("x", distinct_id=None), "no_user"),
        (event(" "), "no_event_name"),
        (event("x", timestamp="gestern"), "bad_time"),
        (event("x", timestamp="1990-01-01"), "bad_time"),
        (event("x", properties=[1]), "bad_shape"),
        (event("x", {"a": "x" * 40_000}), "too_large"),
        (event("$create_alias"), "no_user"),
        (event("$groupidentify", {"$group_type": "company"}), "bad_shape"),
        (event("x" * 300), "bad_shape"),
    ],
)
def test_bad_event_says_why_and_spoils_no_other(made, reason):
    good, bad = decode(event("ok"), made)
    assert isinstance(good, DecodedEvent)
    assert (type(bad), bad.reason, bad.position) == (BadEvent, reason, 1)


def test_single_event_and_list_are_requests_too():
    single = json.dumps(event("x") | {"api_key": "k", "sent_at": AT}).encode()
    checked = checked_body(single, "posthog")
    assert (checked.events, checked.write_key) == (1, "k")
    (found,) = decode_batch(checked.body, "posthog", RECEIVED, is_browser=False, place="1")
    assert found.event == "x"
    listed = json.dumps([event("x", {"token": "k2"}), event("y")]).encode()
    checked = checked_body(listed, "posthog")
    assert (checked.events, checked.write_key) == (2, "k2")
    found = decode_batch(checked.body, "posthog", RECEIVED, is_browser=False, place="1")
    assert [each.event for each in found] == ["x", "y"]


@pytest.mark.parametrize("packed", [False, True])
def test_form_of_old_browsers_is_read(packed):
    body = json.dumps(event("报表") | {"api_key": "k"}).encode()
    data = base64.b64encode(gzip.compress(body) if packed else body)
    checked = checked_body(urlencode({"data": data, "compression": "base64"}).encode(), "posthog")
    assert (checked.events, checked.write_key, checked.body) == (1, "k", body)


def test_v1_gets_a_word_on_every_event():
    assert json.loads(v1_results(b'{"uuid": "a"}')) == {"results": {"a": {"result": "ok"}}}
    assert json.loads(v1_results(b"{}")) == {"results": {}}
    body = json.dumps({"batch": [{"uuid": "a"}, {"uuid": "b"}, {}, {"uuid": []}]}).encode()
    assert json.loads(v1_results(body)) == {
        "results": {"a": {"result": "ok"}, "b": {"result": "ok"}}
    }


@pytest.mark.parametrize("body", [b"{}", b" { } ", b'{"a":{}}\n', b'{"a":"}"}', b'{"a":[1]}'])
def test_note_of_the_door_keeps_the_body(body):
    found = json.loads(noted(body, ip="::1", agent='a"b', library=""))
    assert found.pop("_received") == {"ip": "::1", "agent": 'a"b'}
    assert found == json.loads(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["event", "distinct_id", "timestamp", "uuid", "$set", "$set_once", "offset", "properties"]
)
SAID = st.sampled_from(
    ["$group_type", "$group_key", "$group_set", "$groups", "alias", "$lib", "$ip", "$set", "title",
     "$raw_user_agent", "$anon_distinct_id", "distinct_id", "$insert_id", "$is_identified"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["x", "$identify", "$set", "$groupidentify", "$create_alias", "$pageview", "$screen"]
)


@settings(deadline=None, max_examples=300)
@given(NAMES, st.dictionaries(FIELDS, JSON, max_size=3), st.dictionaries(SAID, JSON, max_size=4))
def test_anything_gives_events_and_never_fails(name, fields, said):
    for found in decode(event(name, said) | fields, is_browser=True, drops_bots=True):
        assert isinstance(found, DecodedEvent | BadEvent | Skipped)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_fail(body):
    for found in decode_batch(body, "posthog", RECEIVED, is_browser=True, place="7"):
        assert isinstance(found, DecodedEvent | BadEvent | Skipped)
