"""Asking for messages: planned, drafted or not sent with the reason; caps within one transaction."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import NOW, make_contact, make_customer

from gengyun.engagement.actions import touches
from gengyun.engagement.actions.channels import ChannelKindUnknown
from gengyun.engagement.models import (
    Channel,
    Delivery,
    MailAddress,
    OptOut,
    Touch,
    TouchPolicy,
    TouchPreference,
)
from gengyun.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db
State = Touch.State


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def mail():
    return Channel.objects.create(
        name="mail", kind="email", serves="customers", created_at=NOW,
        config={"host": "127.0.0.1", "port": 25, "security": "none", "sender": "cs@example.cn"},
    )  # fmt: skip


@pytest.fixture
def contact():
    return make_contact(make_customer(), email="lin@example.cn")


def ask(contact, key="k1", *, now=NOW, **values):
    defaults = {
        "customer": contact.customer, "contact": contact, "channel": "email",
        "category": "service", "subject": "你好", "body": "正文",
    }  # fmt: skip
    return touches.request(now=now, key=key, **(defaults | values))


def test_a_message_is_planned_at_once_in_the_day_and_for_the_morning_at_night(mail, contact):
    touch = ask(contact)
    assert (touch.state, touch.due_at, touch.channel) == (State.QUEUED, NOW, mail)
    delivery = Delivery.objects.get()
    assert (delivery.about, delivery.due_at) == (f"touch:{touch.token}", NOW)
    other = make_contact(contact.customer, email="he@example.cn")
    night = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)  # 21:00
    assert ask(other, "k2", now=night).due_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


def test_the_same_key_is_one_touch(mail, contact):
    first = ask(contact)
    again = ask(contact, body="anders", now=NOW + timedelta(days=40))
    assert (again.pk, again.body) == (first.pk, "正文")
    assert Delivery.objects.count() == 1


def test_no_address_no_contact_left_and_gone_are_told(mail, contact):
    customer = contact.customer
    silent = make_contact(customer)
    left = make_contact(customer, email="x@example.cn", left_on=date(2026, 2, 1))
    assert ask(silent, "a").reason == "no_address"
    assert ask(left, "b").reason == "contact_left"
    nobody = touches.request(
        now=NOW, key="c", customer=customer, contact=None, channel="email", category="service",
        subject="s", body="b",
    )  # fmt: skip
    assert nobody.reason == "no_contact"
    assert ask(contact, "d", body="  ").reason == "empty"
    assert ask(contact, "e", suppress="missing_value", told={"name": "x"}).told == {"name": "x"}
    customer.archived_at = NOW
    customer.save()
    assert ask(contact, "f").reason == "customer_gone"
    assert not Delivery.objects.exists()


def test_without_a_channel_or_a_way_to_unsubscribe_nothing_goes(contact, settings):
    assert ask(contact, "a").reason == "no_channel"
    Channel.objects.create(name="ours", kind="email", created_at=NOW)  # for the team's alerts
    assert ask(contact, "b").reason == "no_channel"
    Channel.objects.create(name="m", kind="email", serves="customers", created_at=NOW)
    settings.PUBLIC_ADDRESS = ""
    assert ask(contact, "c").reason == "no_unsubscribe"


def test_an_opt_out_holds_for_the_address_wherever_it_stands(mail, contact):
    OptOut.objects.create(
        contact=contact, address="lin@example.cn", category="marketing", source="link", at=NOW
    )
    twin = make_contact(make_customer(), email="Lin@example.cn")
    assert ask(twin, "a", category="marketing").reason == "opted_out"
    assert ask(twin, "b", category="education").state == State.QUEUED
    OptOut.objects.create(contact=contact, address="", category="all", source="person", at=NOW)
    assert ask(contact, "c").reason == "opted_out"
    assert ask(contact, "d", budget_class="operational").state == State.QUEUED
    OptOut.objects.update(ended_at=NOW)
    assert ask(contact, "e", now=NOW + timedelta(days=40)).state == State.QUEUED


def test_a_dead_address_is_left_alone_until_somebody_says_it_works(mail, contact):
    MailAddress.objects.create(address="lin@example.cn", hard_bounced_at=NOW)
    assert ask(contact, "a").reason == "bounced"
    MailAddress.objects.update(cleared_at=NOW + timedelta(hours=1))
    assert ask(contact, "b").state == State.QUEUED
    soft = [(NOW - timedelta(days=d)).isoformat() for d in range(5)]
    MailAddress.objects.update(cleared_at=None, hard_bounced_at=None, soft_bounces=soft)
    assert ask(contact, "c", now=NOW + timedelta(days=2)).reason == "bounced"
    assert ask(contact, "d", now=NOW + timedelta(days=20)).state == State.QUEUED


def test_caps_are_counted_over_all_channels_and_twins(mail, contact):
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    assert ask(contact, "a").state == State.QUEUED
    twin = make_contact(make_customer(), email="lin@example.cn")
    over = ask(twin, "b", channel="nowhere", category="survey", now=NOW + timedelta(hours=3))
    assert over.reason == "cap_1d"
    assert (over.told["cap"], over.told["counted"]) == (1, 1)
    assert over.told["free_at"] == (NOW + timedelta(days=1)).isoformat(timespec="seconds")
    assert ask(contact, "c", now=NOW + timedelta(days=1)).state == State.QUEUED


def test_a_changed_address_takes_its_history_with_it(mail, contact):
    ask(contact, "a")
    contact.email = "new@example.cn"
    contact.save()
    assert ask(contact, "b", now=NOW + timedelta(hours=2)).reason == "cap_1d"


def test_what_failed_or_was_not_sent_does_not_count(mail, contact):
    ask(contact, "a")
    Touch.objects.update(state=State.FAILED)
    assert ask(contact, "b").state == State.QUEUED


def test_many_at_once_keep_the_caps_and_cost_the_same_number_of_queries(
    mail, contact, django_assert_max_num_queries
):
    customer = contact.customer
    people = [make_contact(customer, email=f"p{n}@example.cn") for n in range(30)]

    def wanted(people, name):
        return [
            touches.TouchRequest(f"{name}:{c.pk}:{n}", customer, c, "email", "education", "s", "b")
            for c in people
            for n in range(2)
        ]

    few, many = wanted(people[:2], "few"), wanted(people[2:], "many")
    touches.request_many(now=NOW, requests=few)
    with django_assert_max_num_queries(19):  # two of them take the keys of the new rows
        found = touches.request_many(now=NOW, requests=many)
    assert sum(one.state == State.QUEUED for one in found.values()) == 28
    assert sum(one.reason == "cap_1d" for one in found.values()) == 28
    assert Touch.objects.filter(state=State.QUEUED).count() == Delivery.objects.count() == 30


def test_the_readers_own_time_zone_counts(mail, contact):
    TouchPreference.objects.create(
        customer=contact.customer, time_zone="America/New_York", updated_at=NOW
    )
    assert ask(contact, "a").due_at == datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  # 9:00 there
    TouchPreference.objects.create(contact=contact, time_zone="Asia/Tokyo", updated_at=NOW)
    assert ask(contact, "b", now=NOW + timedelta(days=2)).due_at == NOW + timedelta(days=2)


def test_the_policy_is_read(mail, contact):
    TouchPolicy.objects.create(
        caps={"all": {"1": 2}}, quiet_from="00:00", quiet_to="00:00", working_days_only=False
    )
    sunday = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
    assert [ask(contact, key, now=sunday).state for key in "abc"] == [
        State.QUEUED, State.QUEUED, State.SUPPRESSED,
    ]  # fmt: skip


def test_a_draft_waits_and_counts_nothing_but_a_hopeless_one_is_told_at_once(mail, contact):
    assert ask(contact, "a", draft=True).state == State.DRAFT
    assert ask(contact, "b").state == State.QUEUED
    silent = make_contact(contact.customer)
    assert ask(silent, "c", draft=True).reason == "no_address"


def test_groups_are_written_to_only_by_their_own_robot(contact):
    customer = contact.customer
    Channel.objects.create(
        name="g", kind="feishu", serves="customers", created_at=NOW, customer=make_customer()
    )
    assert ask(contact, "a", channel="feishu").reason == "no_channel"
    own = Channel.objects.create(
        name="h", kind="feishu", serves="customers", created_at=NOW, customer=customer
    )
    touch = ask(contact, "b", channel="feishu")
    assert (touch.channel, touch.person) == (own, f"customer:{customer.pk}")
    # the group's budget is its own
    other = make_contact(customer, email="o@example.cn")
    assert ask(other, "c", channel="feishu").reason == "cap_1d"
    assert ask(contact, "d", channel=own, now=NOW + timedelta(days=1)).state == State.QUEUED


def test_a_channel_of_another_customer_or_of_the_team_cannot_be_named(contact):
    theirs = Channel.objects.create(
        name="x", kind="webhook", serves="customers", created_at=NOW, customer=make_customer()
    )
    ours = Channel.objects.create(name="y", kind="email", created_at=NOW)
    assert ask(contact, "a", channel=theirs).reason == "no_channel"
    assert ask(contact, "b", channel=ours).reason == "no_channel"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"category": "spam"}, touches.CategoryUnknown),
        ({"body": "x" * 20_001}, touches.TextTooLong),
        ({"channel": "pigeon"}, ChannelKindUnknown),
        ({"budget_class": "x"}, ValueError),
    ],
)
def test_nonsense_is_refused_and_writes_nothing(mail, contact, values, refusal):
    with pytest.raises(refusal):
        ask(contact, **values)
    assert not Touch.objects.exists()


def test_an_event_tells_of_new_touches(mail, contact, monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr(touches, "emit", lambda name, payload, now: told.append((name, payload)))
        touch = ask(contact)
        ask(contact)
    assert told == [("touch.changed", {"touch_ids": [touch.pk]})]
    assert not OutboxEvent.objects.exists()
