"""Alerts among what needs a person: the summary row, and what a work item speaks for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from alert_days import DAY, EARLY, after, at, judge, make_metric_rule, make_rules, put_values
from factories import NOW, make_customer, make_user

from gengyun.alerts.actions.work import close, snooze
from gengyun.alerts.models import Alert
from gengyun.alerts.queries.open_alerts import open_alerts
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.needs import AlertFact, CustomerFacts, needs
from gengyun.portfolio.models import CustomerSummary

FACTS = CustomerFacts(
    today=DAY,
    touch_model="high",
    known_on=DAY - timedelta(days=400),
    as_of=DAY,
    score=40.0,
    band="D",
    change_week=-20.0,
    movers=[],
    coverage=1.0,
    below_since=DAY,
    last_event_on=DAY - timedelta(days=20),
    last_touch_on=DAY,
    last_touch_kind="call",
    renews_on=None,
    next_step="",
    next_step_on=None,
)


def alert(severity=2, covers=(), **rest):
    return AlertFact(severity, DAY, rest.get("is_snoozed", False), {"alert": 1}, frozenset(covers))


def codes(*alerts):
    return [need["code"] for need in needs(replace(FACTS, alerts=alerts))]


def test_a_work_item_speaks_for_the_needs_it_covers():
    assert set(codes()) == {"health_drop", "band_d", "silent"}
    assert set(codes(alert(covers=["dormant"]))) == {"alert", "health_drop", "band_d"}
    assert codes(alert(covers=["dormant", "band_change"])) == ["alert"]


def test_a_snooze_silences_the_need_as_well():
    assert codes(alert(covers=["dormant", "band_change"], is_snoozed=True)) == []


def test_the_most_urgent_stands_for_all():
    found = needs(replace(FACTS, alerts=[alert(1, ["dormant", "band_change"]), alert(3)]))
    assert [(n["severity"], n["facts"]["others"]) for n in found] == [(1, 1)]


@pytest.mark.django_db
def test_the_summary_row_follows_the_work_item(tmp_path, django_assert_num_queries):
    make_rules(only=[])
    make_metric_rule()
    lake, person = Lake(tmp_path / "lake"), make_user("csm")
    rows = [make_customer(owner=person, known_at=EARLY) for _ in range(3)]
    put_values(lake, DAY, dict.fromkeys(rows, 5))
    judge(lake, DAY)
    refresh_summaries(now=NOW, customer_ids=[row.pk for row in rows])
    need = CustomerSummary.objects.get(pk=rows[0].pk).needs[0]
    item = Alert.objects.get(customer=rows[0])
    assert (need["code"], need["severity"], need["since"]) == ("alert", 2, DAY.isoformat())
    assert need["facts"]["alert"] == item.pk
    assert "5" in need["facts"]["text_zh"]
    assert need["facts"]["text_en"] != need["facts"]["text_zh"]
    with django_assert_num_queries(7):  # however many customers
        open_alerts([row.pk for row in rows], today=DAY)
    snooze(actor=person, now=at(DAY), alert_ids=[item.pk], until=after(3), reason="等")
    refresh_summaries(now=NOW, customer_ids=[rows[0].pk])
    assert ",alert," not in CustomerSummary.objects.get(pk=rows[0].pk).need_codes
    other = Alert.objects.get(customer=rows[1])
    close(actor=person, now=at(DAY), alert_ids=[other.pk], verdict="true")
    refresh_summaries(now=NOW, customer_ids=[rows[1].pk])
    assert ",alert," not in CustomerSummary.objects.get(pk=rows[1].pk).need_codes
