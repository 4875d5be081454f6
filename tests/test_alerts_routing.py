"""Who is told of an alert, over which channel, when: once, and not of what is over."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from alert_rows import make_alert, make_rules
from factories import NOW, People, make_customer

from gengyun.alerts.actions import work
from gengyun.alerts.actions.routing import drop_over, route
from gengyun.alerts.calc.routing import Times, due_at, mode_of
from gengyun.alerts.calc.sentences import sentence
from gengyun.alerts.calc.wording import Names, Told
from gengyun.alerts.models import Alert, AlertEvent
from gengyun.engagement.models import Channel, Delivery

BEIJING = ZoneInfo("Asia/Shanghai")
TIMES = Times(time(9, 0), time(21, 0), time(8, 30))
LATER = NOW + timedelta(minutes=1)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    "mode, now, wanted",
    [
        ("at_once", "2026-03-02T10:00", "2026-03-02T10:00"),
        ("at_once", "2026-03-02T02:10", "2026-03-02T08:30"),  # judged at night: in the morning
        ("at_once", "2026-03-02T22:00", "2026-03-03T08:30"),
        ("digest", "2026-03-02T02:10", "2026-03-02T09:00"),
        ("digest", "2026-03-02T10:00", "2026-03-03T09:00"),
        ("digest", "2026-03-06T10:00", "2026-03-09T09:00"),  # a Friday: not at the weekend
        ("digest", "2026-02-13T10:00", "2026-02-14T09:00"),  # a Saturday worked in exchange
        ("digest", "2026-02-14T10:00", "2026-02-24T09:00"),  # over the Spring Festival
    ],
)
def test_the_moment_a_notice_is_due(mode, now, wanted):
    assert due_at(mode, now=local(now), zone=BEIJING, times=TIMES) == local(wanted)


def test_without_quiet_hours_it_rings_at_night():
    open_all_day = Times(time(9, 0), time(0, 0), time(0, 0))
    now = local("2026-03-02T02:10")
    assert due_at("at_once", now=now, zone=BEIJING, times=open_all_day) == now


@pytest.mark.parametrize(
    "severity, in_digest, wanted",
    [(1, False, "at_once"), (2, False, "at_once"), (3, False, "digest"), (4, False, "none"),
     (2, True, "digest"), (1, True, "at_once")],
)  # fmt: skip
def test_levels_and_the_budget_decide_between_at_once_and_digest(severity, in_digest, wanted):
    assert mode_of(severity, at_once=2, digest=3, is_in_digest=in_digest) == wanted


@pytest.fixture
def cast(db):
    people = People()
    people.rules = make_rules()
    people.customer = make_customer("杭州云启科技", owner=people.owner, arr_minor=48_600_000)
    people.group = Channel.objects.create(
        name="一线群", kind="nowhere", created_at=NOW - timedelta(days=1)
    )
    return people


def test_an_alert_is_told_once_per_channel(cast):
    make_alert(cast.rules["usage_drop"], cast.customer)
    assert route(now=LATER) == 1
    assert route(now=LATER) == 0
    row = Delivery.objects.get()
    assert row.item["title"] == "杭州云启科技：用量下降"
    assert row.item["text"].startswith("近 14 天的使用只有平时的 55%")
    assert ["ARR", "48.6 万"] in row.item["facts"]
    assert row.due_at == LATER


def test_what_is_raised_or_escalated_is_told_again(cast):
    alert = make_alert(cast.rules["usage_drop"], cast.customer)
    route(now=LATER)
    AlertEvent.objects.create(alert=alert, at=LATER, kind="raised")
    AlertEvent.objects.create(alert=alert, at=LATER, kind="escalated")
    AlertEvent.objects.create(alert=alert, at=LATER, kind="evidence")  # nothing new
    assert route(now=LATER) == 2
    assert {row.item["title"][-5:] for row in Delivery.objects.all()} >= {"（已升级）"}


def test_a_new_channel_is_not_told_what_was_before_it(cast):
    make_alert(cast.rules["usage_drop"], cast.customer)
    cast.group.delete()
    Channel.objects.create(name="new", kind="nowhere", created_at=LATER)
    assert route(now=LATER) == 0


def test_a_past_day_judged_again_is_no_news(cast):
    make_alert(cast.rules["usage_drop"], cast.customer, at=NOW - timedelta(days=30))
    Channel.objects.update(created_at=NOW - timedelta(days=60))
    assert route(now=NOW) == 0


def test_a_teams_channel_is_told_of_its_people_only(cast):
    south = Channel.objects.create(
        name="南区", kind="nowhere", created_at=cast.group.created_at, team=cast.south
    )
    north = Channel.objects.create(
        name="北区", kind="nowhere", created_at=cast.group.created_at, team=cast.north
    )
    make_alert(cast.rules["usage_drop"], cast.customer)
    make_alert(
        cast.rules["outage"],
        facts={"first": "2026-03-01", "last": "2026-03-01", "customers": 300},
        value=0.1,
    )
    route(now=LATER)
    told = {
        channel: set(Delivery.objects.filter(channel=channel).values_list("item__title", flat=True))
        for channel in (south, north)
    }
    assert told[south] == {"全体客户用量中断"}
    assert told[north] == {"全体客户用量中断", "杭州云启科技：用量下降"}


def test_mail_goes_to_the_owner_and_at_an_escalation_to_the_leader(cast):
    cast.group.delete()
    Channel.objects.create(
        name="mail", kind="email", created_at=NOW - timedelta(days=1),
        config={"to_owner": True, "recipients": ["ops@example.cn"], "sender": "cs@example.cn"},
    )  # fmt: skip
    alert = make_alert(cast.rules["usage_drop"], cast.customer)
    route(now=LATER)
    assert set(Delivery.objects.values_list("recipient", flat=True)) == {
        cast.owner.email,
        "ops@example.cn",
    }
    Alert.objects.filter(pk=alert.pk).update(escalated_to=cast.leader)
    AlertEvent.objects.create(alert=alert, at=LATER, kind="escalated")
    route(now=LATER)
    assert Delivery.objects.filter(recipient=cast.leader.email).count() == 1


def test_a_rule_can_name_its_channels_or_none(cast):
    other = Channel.objects.create(name="升级群", kind="nowhere", created_at=cast.group.created_at)
    rule = cast.rules["usage_drop"]
    rule.routes = [{"channel": other.pk, "mode": "digest"}]
    rule.save()
    make_alert(rule, cast.customer)
    route(now=LATER)
    row = Delivery.objects.get()
    assert row.channel == other
    assert row.due_at > LATER + timedelta(hours=12)
    rule.routes = [{"mode": "none"}]
    rule.save()
    make_alert(rule, make_customer("另一家", owner=cast.owner))
    assert route(now=LATER) == 0


def test_what_was_closed_before_it_left_is_not_told(cast):
    alert = make_alert(cast.rules["usage_drop"], cast.customer)
    route(now=LATER)
    work.close(actor=cast.owner, now=LATER, alert_ids=[alert.pk], verdict="known")
    assert drop_over() == 1
    assert Delivery.objects.get().state == "dropped"
    assert route(now=LATER) == 0


def test_low_levels_stay_in_the_product(cast):
    Channel.objects.update(at_once=1, digest=2)
    make_alert(cast.rules["champion_left"], cast.customer, severity=3)
    assert route(now=LATER) == 0


# ---- wording

READINGS = {
    "usage_drop": ({"ratio": 0.55, "observed": 172, "expected": 310}, 12.0, "55%"),
    "dormant": ({"last_on": "2026-02-10"}, 11.0, "11"),
    "slow_slide": ({"weeks": 6, "rate_before": 20.0, "rate_now": 14.0}, 5.0, "30%"),
    "activation_low": ({"days": 52.0}, 0.18, "18%"),
    "stage_late": ({"stage": 7, "since": "2026-01-05"}, 21.0, "21"),
    "source_silent": ({"name": "prod", "last_event_on": "2026-02-27"}, 3.0, "prod"),
    "outage": ({"first": "2026-03-01", "last": "2026-03-01", "customers": 300}, 0.12, "12%"),
    "band_change": ({"band": "D", "band_before": "B", "score_before": 66.0}, 47.0, "47"),
    "score_drop": ({"change": -17.0, "score_before": 72.0}, 55.0, "17"),
    "contact_left": ({"part": "decider", "name": "Wang", "title": "CFO", "left_on": "2026-02-20"}, 10.0, "Wang"),
    "renewal_window": ({"due_on": "2026-05-01", "due_minor": 48_600_000, "currency": "CNY", "worries": ["unjudged"], "product_zh": "数据中台", "product_en": "Data Hub"}, 60.0, "60"),
    "payment_overdue": ({"amount_minor": 12_000_000, "currency": "CNY", "count": 1, "number": "INV-7", "due_on": "2026-02-01"}, 29.0, "INV-7"),
    "seats_reduced": ({"seats_before": 80, "seats": 60, "leaves_on": "2026-03-31"}, 0.25, "60"),
    "churn_jump": ({"why": "both", "low": 0.33, "high": 0.51, "mark": 0.38, "before": 0.24, "before_on": "2026-01-31", "due_on": "2026-05-01", "amount_minor": 48_600_000, "currency": "CNY"}, 0.42, "42%"),
    "risk_noted": ({"cause_zh": "竞品进入", "cause_en": "A competitor came in", "happened_on": "2026-02-24", "note": "Feiniao 3"}, 6.0, "Feiniao 3"),
    "sentiment_drop": ({"before": 0.6, "fell": True}, 0.12, "60%"),
    "seats_full": ({"weeks": 4, "least": 0.91}, 0.94, "94%"),
    "asked_for": ({"title_zh": "请看 CSV-7", "title_en": "Look at CSV-7", "asked_on": "2026-02-24"}, 0.0, "CSV-7"),
    "survey_low": ({"kind": "nps", "contact": "Wang", "part": "decider", "comment": "too slow\nfor us", "answered_on": "2026-02-24", "answer": 3}, 4.0, "too slow for us"),
    "metric": ({}, 0.12, "12%"),
}  # fmt: skip
PARAMS = {"metric": "seat_use_30d", "enter": 0.3, "op": "lt", "days": 28, "h": 4}
NAMES = Names({"seat_use_30d": ("席位使用率", "Seat use", "ratio")}, {7: ("推广", "Rollout")})


@pytest.mark.parametrize("kind", READINGS)
@pytest.mark.parametrize("zh", [True, False])
def test_every_kind_says_its_fact_in_both_languages(kind, zh):
    facts, value, fact = READINGS[kind]
    told = Told(
        kind, PARAMS, value, None, facts, NAMES, zh, datetime(2026, 3, 2, tzinfo=UTC).date()
    )
    text = sentence(told)
    assert fact in text
    assert text.endswith("。" if zh else ".") or (zh and text.endswith("）。"))
    has_chinese = any("一" <= char <= "鿿" for char in text)
    assert has_chinese == zh


@pytest.mark.parametrize("kind", READINGS)
def test_a_reading_without_its_facts_still_says_something(kind):
    told = Told(kind, {}, None, None, {}, NAMES, True, datetime(2026, 3, 2, tzinfo=UTC).date())
    assert sentence(told)


def test_every_kind_of_rule_has_a_sentence():
    from gengyun.alerts.calc.params import SPECS

    assert set(READINGS) == set(SPECS)
