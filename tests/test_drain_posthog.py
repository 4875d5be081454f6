"""PostHog's events in the lake: people merged, what is left out counted, quarantine and replay."""

import json
from datetime import timedelta

import factories
import pytest
from test_drain import NOW, drain, inbox, lake  # noqa: F401 (fixtures)

from gengyun.lake.inbox import NewBatch
from gengyun.tracking.dialects import noted
from gengyun.usage.actions.deliveries import micros
from gengyun.usage.actions.replay import replay
from gengyun.usage.actions.sources import (
    GroupTypeInvalid,
    OriginInvalid,
    create_source,
    edit_source,
)
from gengyun.usage.models import Arrival, DrainState, ProductUser, QuarantinedEvent, UserAlias

pytestmark = pytest.mark.django_db


@pytest.fixture
def source():
    return create_source(
        actor=None, now=NOW, name="Web", is_browser=True, drops_bots=True, unknown_customer="create"
    )


def event(name, user="u_1", number=0, properties=None, **more):
    made = {"event": name, "distinct_id": user, "uuid": f"{name}-{number}"}
    return made | {"timestamp": NOW.isoformat(), "properties": properties or {}} | more


def post(inbox, source, *events, agent=""):  # noqa: F811
    body = noted(json.dumps({"batch": events}).encode(), ip="203.0.113.9", agent=agent)
    batch = NewBatch(source.pk, "posthog", micros(NOW), None, len(events), body)
    inbox.append_many([batch])


IN_ACCOUNT = {"$groups": {"company": "acct_88"}}


def test_person_is_described_merged_and_counted_once(inbox, lake, source):  # noqa: F811
    events = [
        event("$groupidentify", "$company_acct_88", properties={
            "$group_type": "company", "$group_key": "acct_88", "$group_set": {"name": "晨曦科技"}}),
        event("$identify", properties=IN_ACCOUNT, **{
            "$set": {"name": "李雷"}, "$set_once": {"plan": "试用版", "name": "访客"}}),
        event("$identify", number=1, **{"$set_once": {"plan": "旗舰版", "since": 2026}}),
        event("报表导出", properties=IN_ACCOUNT | {"rows": 3}),
        event("$create_alias", "visitor-7", properties={"alias": "u_1", "$lib": "web"}),
        event("登录", "visitor-7", properties=IN_ACCOUNT),
    ]  # fmt: skip
    for _ in range(2):
        post(inbox, source, *events)
        drain(inbox, lake)
    rows = lake.read("events", columns=["kind", "event", "user_id", "properties"]).to_pylist()
    found = sorted((row["kind"], row["event"], row["user_id"]) for row in rows)
    assert found == [
        ("group", "", ""),
        ("identify", "", "u_1"),
        ("identify", "", "u_1"),
        ("track", "报表导出", "u_1"),
        ("track", "登录", "u_1"),
    ]
    # the alias named the visitor as the later id; the one who was somebody already stays
    assert list(UserAlias.objects.values_list("previous_id", "user_id")) == [("visitor-7", "u_1")]
    person = ProductUser.objects.get()
    assert (person.external_id, person.name) == ("u_1", "李雷")
    assert person.traits == {"name": "李雷", "plan": "试用版", "since": 2026}
    assert person.customer.name == "晨曦科技"
    shown = {row["event"]: json.loads(row["properties"] or "{}") for row in rows}
    assert shown["报表导出"] == {"$ip": "203.0.113.9", "rows": 3}


def test_robots_and_housekeeping_are_counted_and_left_out(inbox, lake, source):  # noqa: F811
    post(inbox, source, event("x", properties=IN_ACCOUNT), event("$autocapture"))
    post(inbox, source, event("y"), event("z"), agent="Googlebot/2.1")
    report = drain(inbox, lake)
    assert (report.events, report.rows, report.left_out) == (4, 1, 3)
    source.refresh_from_db()
    counts = (source.accepted_count, source.bot_count, source.ignored_count)
    assert (*counts, source.quarantined_count) == (1, 2, 1, 0)
    outcomes = sorted(Arrival.objects.values_list("outcome", "event"))
    assert outcomes == [("accepted", "x"), ("bot", "y"), ("bot", "z"), ("ignored", "$autocapture")]


def test_turn_that_the_version_before_noted_is_counted(lake, source):  # noqa: F811
    """Of what waits it noted the change, new ones less those sent on."""
    from gengyun.usage.actions.counting import APP, settle

    held = [
        QuarantinedEvent.objects.create(
            source=source, inbox_id=4, position=n, reason="no_customer", received_at=NOW, body="{}"
        )
        for n in range(3)
    ]
    source.quarantined_count = 2
    source.save()
    lake.append("events", lake.read("events"), app=APP, version=5)
    pending = {"sources": {str(source.pk): [3, 1, 0, micros(NOW)]}, "replayed": [held[0].pk]}
    DrainState.objects.create(pk=1, through_id=5, pending=pending)
    settle(lake, now=NOW)
    source.refresh_from_db()
    assert (source.accepted_count, source.duplicate_count, source.bot_count) == (3, 1, 0)
    assert QuarantinedEvent.objects.filter(replayed_at=None).count() == 2
    assert source.quarantined_count == 2


def test_event_of_an_unknown_customer_waits_and_is_replayed_as_it_came(inbox, lake, source):  # noqa: F811
    edit_source(
        actor=None, now=NOW, source=source,
        changes={"unknown_customer": "quarantine", "group_type": "organization"},
    )  # fmt: skip
    said = {"$groups": {"organization": "acct_9"}, "rows": 3}
    described = event("报表导出", properties=said, **{"$set": {"name": "李雷"}})
    post(inbox, source, described)
    assert drain(inbox, lake).quarantined == 1
    waiting = QuarantinedEvent.objects.get()
    assert (waiting.path, waiting.reason, waiting.group_id) == (
        "posthog", "unknown_customer", "acct_9",
    )  # fmt: skip
    customer = factories.make_customer(external_id="acct_9")
    replay(actor=None, now=NOW + timedelta(hours=1), source=source)
    assert drain(inbox, lake).rows == 1
    (row,) = lake.read("events").to_pylist()
    assert (row["customer_id"], row["event"], row["user_id"]) == (customer.pk, "报表导出", "u_1")


def test_sites_and_group_type_are_checked(source):
    def edit(**changes):
        edit_source(actor=None, now=NOW, source=source, changes=changes)

    edit(origins=[" https://App.example.cn/ ", "https://*.example.cn:8443", "http://[::1]:80", ""])
    source.refresh_from_db()
    assert source.origins == [
        "https://app.example.cn", "https://*.example.cn:8443", "http://[::1]:80",
    ]  # fmt: skip
    for wrong in ("example.cn", "https://a.cn/path", "ftp://a.cn", "https://a b"):
        with pytest.raises(OriginInvalid):
            edit(origins=[wrong])
    for wrong in ("", "  ", "a'b"):
        with pytest.raises(GroupTypeInvalid):
            edit(group_type=wrong)
    source.refresh_from_db()
    assert source.group_type == "company"
