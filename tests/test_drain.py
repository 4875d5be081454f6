"""The drain: who, which customer, once only, and what waits with a reason."""

import json
from datetime import UTC, datetime, timedelta

import factories
import pytest

from gengyun.customers.models import Customer
from gengyun.lake.inbox import Inbox, NewBatch
from gengyun.lake.keys import hash64
from gengyun.lake.store import Lake
from gengyun.usage.actions.deliveries import micros
from gengyun.usage.actions.drain import alone, drain_all, drain_once
from gengyun.usage.actions.replay import NothingToReplay, replay
from gengyun.usage.actions.sources import create_source
from gengyun.usage.models import (
    Arrival,
    DrainState,
    ProductUser,
    QuarantinedEvent,
    Source,
    UserAlias,
)

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox(tmp_path, settings):
    settings.INBOX_PATH = tmp_path / "inbox.sqlite3"
    with Inbox(settings.INBOX_PATH) as inbox:
        yield inbox


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def source():
    return create_source(actor=None, now=NOW, name="产品", key="product")


@pytest.fixture
def creating():
    return create_source(
        actor=None, now=NOW, name="Log", key="log", unknown_customer="create", is_history=True
    )


def track(event="report.export", *, user="u1", group="acct_1", at=NOW, **more):
    body = {"type": "track", "event": event, "timestamp": at.isoformat(), **more}
    if user:
        body["userId"] = user
    if group:
        body["context"] = {"groupId": group}
    return body


def post(inbox, source, *events, received_at=NOW, kind="batch"):
    body = {"batch": list(events)} if kind == "batch" else events[0]
    inbox.append_many(
        [
            NewBatch(
                source.pk, kind, micros(received_at), None, len(events), json.dumps(body).encode()
            )
        ]
    )


def drain(inbox, lake, now=NOW):
    return drain_all(inbox=inbox, lake=lake, now=now)


def rows(lake):
    return sorted(
        lake.read("events").to_pylist(), key=lambda row: (row["happened_at"], row["event"])
    )


def counts(source):
    source.refresh_from_db()
    return source.accepted_count, source.duplicate_count, source.quarantined_count


def test_an_event_becomes_a_row_of_the_lake(inbox, lake, source):
    customer = factories.make_customer(external_id="acct_1")
    at = NOW - timedelta(hours=11)  # the evening before, company time
    post(inbox, source, track(at=at, messageId="m1", properties={"rows": 3, "报表": "月度"}))
    report = drain(inbox, lake)
    assert (report.events, report.rows, report.duplicates, report.quarantined) == (1, 1, 0, 0)
    [row] = rows(lake)
    assert row["customer_id"] == customer.pk
    assert (row["user_id"], row["user_key"]) == ("u1", hash64("u1"))
    assert (row["kind"], row["event"], row["source_id"]) == ("track", "report.export", source.pk)
    assert (row["happened_at"], row["known_at"], row["received_at"]) == (at, NOW, NOW)
    assert [row[day].isoformat() for day in ("day", "known_day", "received_day")] == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-02",
    ]
    assert json.loads(row["properties"]) == {"rows": 3, "报表": "月度"}
    assert inbox.depth() == 0
    assert counts(source) == (1, 0, 0)
    assert source.last_event_at == NOW
    user = ProductUser.objects.get()
    assert (user.external_id, user.customer, user.first_seen_at) == ("u1", customer, at)


def test_a_repeated_message_is_dropped_in_the_batch_and_against_the_lake(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(inbox, source, track(messageId="m1"), track(messageId="m1"))
    assert drain(inbox, lake).rows == 1
    post(inbox, source, track(messageId="m1"), track(messageId="m2"))
    assert drain(inbox, lake, NOW + timedelta(days=29)).duplicates == 1
    assert len(rows(lake)) == 2
    assert counts(source) == (2, 2, 0)


def test_a_process_that_starts_later_reads_the_keys_from_the_lake(inbox, lake, source, tmp_path):
    factories.make_customer(external_id="acct_1")
    for name in ("m1", "m2"):
        post(inbox, source, track(messageId=name))
        drain(inbox, lake)
    (tmp_path / "elsewhere").symlink_to(lake.path)  # another path: no keys in memory
    post(inbox, source, track(messageId="m1"), track(messageId="m2"), track(messageId="m3"))
    assert drain(inbox, Lake(tmp_path / "elsewhere")).duplicates == 2


def test_two_sources_may_use_the_same_message_id(inbox, lake, source, creating):
    factories.make_customer(external_id="acct_1")
    post(inbox, source, track(messageId="m1"))
    post(inbox, creating, track(messageId="m1"))
    assert drain(inbox, lake).rows == 2


def test_without_message_id_nothing_is_taken_for_a_repetition(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(inbox, source, track(), track())
    assert drain(inbox, lake).rows == 2


def test_an_unknown_customer_waits_and_goes_when_the_customer_is_made(
    inbox, lake, source, django_capture_on_commit_callbacks
):
    from gengyun.customers.actions.customers import create_customer

    post(inbox, source, track(messageId="m1"), track(messageId="m2", group="acct_2"))
    assert drain(inbox, lake).quarantined == 2
    assert rows(lake) == []
    assert counts(source) == (0, 0, 2)
    later = NOW + timedelta(days=3)
    with django_capture_on_commit_callbacks(execute=True):
        create_customer(actor=None, now=later, values={"external_id": "acct_1", "name": "晨曦科技"})
    drain(inbox, lake, later)
    [row] = rows(lake)
    # it happened then, but nobody could know whose it was before today
    assert row["received_at"] == NOW
    assert row["known_at"] > NOW
    assert row["received_day"] == row["known_day"]
    assert counts(source) == (1, 0, 1)
    assert QuarantinedEvent.objects.get(replayed_at=None).group_id == "acct_2"


def test_a_replay_run_twice_adds_nothing(inbox, lake, source):
    post(inbox, source, track(), kind="track")  # no type, no messageId: both come from the request
    drain(inbox, lake)
    factories.make_customer(external_id="acct_1")
    assert replay(actor=None, now=NOW, source=source) == 1
    assert replay(actor=None, now=NOW, source=source) == 1
    drain(inbox, lake)
    assert len(rows(lake)) == 1
    assert counts(source)[2] == 0
    with pytest.raises(NothingToReplay):
        replay(actor=None, now=NOW, source=source)


def test_a_replay_that_still_fails_stays(inbox, lake, source):
    post(inbox, source, track())
    drain(inbox, lake)
    replay(actor=None, now=NOW)
    drain(inbox, lake)
    assert QuarantinedEvent.objects.filter(replayed_at=None).count() == 1
    assert counts(source) == (0, 0, 1)


def test_group_maps_the_user_and_frees_what_waited_for_it(inbox, lake, source):
    customer = factories.make_customer(external_id="acct_1")
    post(inbox, source, track(group=""))
    drain(inbox, lake)
    assert QuarantinedEvent.objects.get().reason == "no_customer"
    post(inbox, source, {"type": "group", "userId": "u1", "groupId": "acct_1"})
    drain(inbox, lake)
    assert [row["kind"] for row in rows(lake)] == ["group", "track"]
    assert {row["customer_id"] for row in rows(lake)} == {customer.pk}
    post(inbox, source, track(group=""))
    assert drain(inbox, lake).rows == 1


def test_identify_and_alias_tell_who_a_visitor_is(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(
        inbox,
        source,
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "anon",
            "traits": {"name": "李雷", "email": "li@example.cn"},
        },
        {"type": "alias", "userId": "u1", "previousId": "old"},
        track(user="", anonymousId="anon", messageId="a"),
        track(user="old", messageId="b"),
        track(user="", anonymousId="stranger", messageId="c"),
    )
    report = drain(inbox, lake)
    assert (report.events, report.rows, report.quarantined) == (5, 3, 0)
    assert sorted(row["user_id"] for row in rows(lake)) == ["", "u1", "u1"]
    assert {row["user_key"] for row in rows(lake)} == {0, hash64("u1")}
    user = ProductUser.objects.get()
    assert (user.name, user.email, user.customer.external_id) == ("李雷", "li@example.cn", "acct_1")
    assert UserAlias.objects.count() == 2


def test_identify_may_name_the_customer_by_company_id(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(
        inbox,
        source,
        {"type": "identify", "userId": "u9", "traits": {"company": {"id": "acct_1"}}},
    )
    assert drain(inbox, lake).rows == 1
    assert ProductUser.objects.get().customer.external_id == "acct_1"


def test_a_creating_history_source_makes_customers_known_from_their_first_event(
    inbox, lake, creating
):
    first = datetime(2014, 5, 1, tzinfo=UTC)
    post(
        inbox,
        creating,
        track(at=first + timedelta(days=9)),
        track(at=first),
        {
            "type": "group",
            "userId": "u1",
            "groupId": "acct_1",
            "timestamp": first.isoformat(),
            "traits": {"name": "晨曦科技", "industry": "软件"},
        },
    )
    drain(inbox, lake)
    customer = Customer.objects.get()
    assert (customer.name, customer.industry, customer.known_at) == ("晨曦科技", "软件", first)
    assert [row["known_at"] == row["happened_at"] for row in rows(lake)] == [True] * 3
    earlier = first - timedelta(days=400)
    post(inbox, creating, track(at=earlier))
    drain(inbox, lake)
    customer.refresh_from_db()
    assert customer.known_at == earlier


def test_a_quarantining_source_makes_no_customer(inbox, lake, source):
    post(inbox, source, {"type": "group", "userId": "u1", "groupId": "acct_1"})
    drain(inbox, lake)
    assert not Customer.objects.exists()
    assert not ProductUser.objects.exists()


def test_bad_events_wait_with_their_reason_and_the_rest_goes_on(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(
        inbox,
        source,
        track(messageId="good"),
        track(event=""),
        {"type": "nonsense", "userId": "u1"},
        {"type": "track", "event": "x"},
        track(at=datetime(1970, 1, 1, tzinfo=UTC)),
        track(properties={"x": "y" * 40_000}),
        {"type": "track", "event": 5, "userId": "u1"},
        track(group=""),
        track(group="nobody"),
    )
    # a user whose customer the first event named: the event without group finds it
    report = drain(inbox, lake)
    assert (report.rows, report.quarantined) == (2, 7)
    reasons = QuarantinedEvent.objects.order_by("position").values_list("position", "reason")
    assert list(reasons) == [
        (1, "no_event_name"),
        (2, "bad_type"),
        (3, "no_user"),
        (4, "bad_time"),
        (5, "too_large"),
        (6, "bad_shape"),
        (8, "unknown_customer"),
    ]


def test_a_future_timestamp_becomes_the_time_received(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    post(inbox, source, track(at=NOW + timedelta(days=700)))
    drain(inbox, lake)
    assert rows(lake)[0]["happened_at"] == NOW


def test_bytes_that_are_no_json_wait_as_they_came(inbox, lake, source):
    inbox.append_many([NewBatch(source.pk, "batch", micros(NOW), None, 1, b'{"batch": [\xff\x00')])
    assert drain(inbox, lake).quarantined == 1
    assert QuarantinedEvent.objects.get().reason == "bad_shape"


def test_events_of_a_deleted_source_go_with_it(inbox, lake, source):
    post(inbox, source, track())
    Source.objects.all().delete()
    assert drain(inbox, lake).events == 0
    assert inbox.depth() == 0


def test_two_drains_at_once_one_waits(inbox, lake, source):
    post(inbox, source, track())
    with alone(lake):
        assert drain_once(inbox=inbox, lake=lake, now=NOW).waiting
    assert drain_once(inbox=inbox, lake=lake, now=NOW).events == 1


def test_the_live_list_keeps_the_latest(inbox, lake, source):
    factories.make_customer(external_id="acct_1")
    for n in range(6):
        post(inbox, source, *(track(event=f"e{n}.{i}") for i in range(60)))
        drain(inbox, lake)
    newest = Arrival.objects.first()
    assert (newest.event, newest.outcome, newest.customer.external_id) == (
        "e5.59",
        "accepted",
        "acct_1",
    )
    assert Arrival.objects.count() == 200


@pytest.mark.parametrize("stop", ["noted", "appended", "counted"])
def test_a_turn_that_was_cut_off_is_finished_once(inbox, lake, source, monkeypatch, stop):
    """As a kill would, but in one process; tests/test_faults.py kills for real."""
    from gengyun.usage.actions import drain as module

    class Killed(BaseException):
        pass

    def point(name):
        if name == f"drain.{stop}":
            raise Killed

    factories.make_customer(external_id="acct_1")
    post(inbox, source, track(messageId="m1"), track(messageId="m2"), track(event=""))
    with monkeypatch.context() as patch:
        patch.setattr(module.faults, "point", point)
        with pytest.raises(Killed):
            drain(inbox, lake)
    drain(inbox, lake)
    assert len(rows(lake)) == 2
    assert counts(source) == (2, 0, 1)
    assert QuarantinedEvent.objects.count() == 1
    assert inbox.depth() == 0
    assert DrainState.objects.get().pending is None


def test_what_a_killed_turn_held_counts_as_waiting_until_it_is_sent_on(
    inbox, lake, source, monkeypatch
):
    """Its repetition may find the customer, and send the event on while the held row waits."""
    from gengyun.usage.actions import drain as module
    from gengyun.usage.actions.replay import replay_known

    class Killed(BaseException):
        pass

    def point(name):
        if name == "drain.noted":
            raise Killed

    post(inbox, source, track(messageId="m1"), track(group="nobody"))
    with monkeypatch.context() as patch:
        patch.setattr(module.faults, "point", point)
        with pytest.raises(Killed):
            drain(inbox, lake)
    factories.make_customer(external_id="acct_1")
    drain(inbox, lake)
    assert len(rows(lake)) == 1
    assert counts(source)[2] == 2
    assert replay_known(now=NOW) == 1
    drain(inbox, lake)
    assert len(rows(lake)) == 1
    assert counts(source)[2] == QuarantinedEvent.objects.filter(replayed_at=None).count() == 1


def test_a_customer_made_while_its_event_was_on_the_way_is_found_later(inbox, lake, source):
    from gengyun.usage.actions.replay import replay_known

    post(inbox, source, track(), track(group="nobody"))
    drain(inbox, lake)
    factories.make_customer(external_id="acct_1")  # no event told anybody
    assert replay_known(now=NOW) == 1
    drain(inbox, lake)
    assert len(rows(lake)) == 1
    assert replay_known(now=NOW) == 0


def test_a_request_that_nothing_can_be_done_with_holds_up_no_other(
    inbox, lake, source, monkeypatch, caplog
):
    from gengyun.usage.actions import drain as module

    real = module.decode_batch

    def decode_batch(body, *args, **kwargs):
        if b"poison" in body:
            raise ValueError("a fault of ours")
        return real(body, *args, **kwargs)

    monkeypatch.setattr(module, "decode_batch", decode_batch)
    factories.make_customer(external_id="acct_1")
    for name in ("m1", "m2", "poison", "m3", "m4"):
        post(inbox, source, track(messageId=name))
    report = drain(inbox, lake)
    assert (report.rows, report.quarantined, inbox.depth()) == (4, 1, 0)
    waiting = QuarantinedEvent.objects.get()
    assert "a fault of ours" in waiting.detail
    assert "poison" in waiting.body
    # the fault is mended: a person sends it on
    monkeypatch.setattr(module, "decode_batch", real)
    replay(actor=None, now=NOW, source=source)
    drain(inbox, lake)
    assert len(rows(lake)) == 5
    assert counts(source) == (5, 0, 0)


def test_a_full_disk_leaves_everything_in_the_inbox(inbox, lake, source, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    factories.make_customer(external_id="acct_1")
    post(inbox, source, track())
    with monkeypatch.context() as patch:
        patch.setattr(lake, "append", full)
        with pytest.raises(OSError, match="No space"):
            drain(inbox, lake)
    assert (inbox.depth(), QuarantinedEvent.objects.count()) == (1, 0)
    assert drain(inbox, lake).rows == 1
    assert counts(source) == (1, 0, 0)


def test_events_of_a_user_whose_customer_became_known_are_found_later(inbox, lake, source):
    from gengyun.usage.actions.replay import replay_known

    customer = factories.make_customer(external_id="acct_1")
    post(inbox, source, track(group=""))
    drain(inbox, lake)
    assert replay_known(now=NOW) == 0
    ProductUser.objects.create(
        external_id="u1", customer=customer, first_seen_at=NOW, last_seen_at=NOW
    )
    assert replay_known(now=NOW) == 1
    assert drain(inbox, lake).rows == 1
