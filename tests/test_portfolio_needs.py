"""What needs a person: rules, order, occurrences that go on."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation

from gengyun.portfolio.calc.needs import CustomerFacts, need_codes, need_rank, needs
from gengyun.web.present.needs import sentence

TODAY = date(2026, 3, 2)
CALM = CustomerFacts(
    today=TODAY,
    touch_model="low",
    known_on=TODAY - timedelta(days=400),
    as_of=TODAY,
    score=75.0,
    band="B",
    change_week=-1.0,
    movers=(),
    coverage=0.9,
    below_since=None,
    last_event_on=TODAY - timedelta(days=1),
    last_touch_on=TODAY - timedelta(days=5),
    last_touch_kind="call",
    renews_on=TODAY + timedelta(days=30),
    next_step="",
    next_step_on=None,
)


def found(**changes):
    return {need["code"]: need for need in needs(replace(CALM, **changes))}


def days_ago(n):
    return TODAY - timedelta(days=n)


def test_a_calm_customer_needs_nothing():
    assert needs(CALM) == []
    assert need_rank([], 10**9) == 0


def test_a_fall_of_eight_points_in_a_week_is_told_with_its_causes():
    movers = [{"name_zh": "活跃", "name_en": "Active", "points": -7.0}]
    assert found(change_week=-7.9) == {}
    need = found(change_week=-8.0, movers=movers)["health_drop"]
    assert (need["severity"], need["facts"]["points"]) == (2, 8.0)
    assert need["facts"]["movers"] == movers
    assert found(change_week=-15.0)["health_drop"]["severity"] == 1


def test_band_d_names_what_costs_the_most_points():
    burden = {"name_zh": "席位使用率", "name_en": "Seat use", "unit": "ratio", "value": 0.01}
    need = found(band="D", score=36.0, weakest=(burden,))["band_d"]
    assert need["facts"]["weakest"] == [burden]
    with translation.override("zh-hans"):
        said = sentence(need, zh=True)
    assert said == "健康分 36，主要被拉低的是：席位使用率 1%。"


def test_band_d_dates_from_the_first_week_below():
    need = found(band="D", score=40.0, below_since=days_ago(21))["band_d"]
    assert need["since"] == days_ago(21).isoformat()


@pytest.mark.parametrize(("touch", "limit"), [("high", 14), ("low", 14), ("tech", 30)])
def test_silence_counts_full_days_without_use(touch, limit):
    # used on day D-limit-1: limit full days have passed without use
    need = found(touch_model=touch, last_event_on=days_ago(limit + 1))["silent"]
    assert need["facts"]["days"] == limit
    assert "silent" not in found(touch_model=touch, last_event_on=days_ago(limit))


def test_silence_needs_use_before_and_data():
    assert "silent" not in found(last_event_on=None)
    assert "silent" not in found(as_of=None, last_event_on=days_ago(90))


@pytest.mark.parametrize(("touch", "limit"), [("high", 14), ("low", 30), ("tech", 60), ("", 30)])
def test_no_contact_follows_the_touch_model(touch, limit):
    assert "no_contact" in found(touch_model=touch, last_touch_on=days_ago(limit))
    assert "no_contact" not in found(touch_model=touch, last_touch_on=days_ago(limit - 1))


def test_never_touched_counts_from_when_the_customer_came():
    need = found(last_touch_on=None, known_on=days_ago(31))["no_contact"]
    assert (need["facts"]["days"], need["facts"]["last_on"]) == (31, None)


def test_next_step_today_and_overdue():
    assert found(next_step="回访", next_step_on=TODAY)["next_step_today"]["severity"] == 2
    assert found(next_step="回访", next_step_on=days_ago(3))["next_step_overdue"]["facts"] == {
        "days": 3,
        "text": "回访",
    }
    assert found(next_step="回访", next_step_on=TODAY + timedelta(days=1)) == {}


@pytest.mark.parametrize(
    ("band", "days", "severity"),
    [("C", 90, 2), ("C", 30, 1), ("D", 90, 1), ("C", 91, None), ("B", 10, None), ("C", -1, None)],
)
def test_a_renewal_is_near_only_with_poor_health(band, days, severity):
    need = found(band=band, renews_on=TODAY + timedelta(days=days)).get("renewal_near")
    assert (need and need["severity"]) == severity


def test_missing_data_is_said_after_the_first_month():
    assert "data_missing" in found(band="N", score=None)
    assert "data_missing" not in found(band="N", score=None, known_on=days_ago(20))
    assert "data_missing" not in found(band="", score=None, as_of=None)


def test_needs_come_worst_first_and_an_occurrence_keeps_its_day():
    facts = replace(
        CALM, band="D", score=40.0, change_week=-20.0, next_step="x", next_step_on=TODAY
    )
    first = needs(facts)
    assert [need["severity"] for need in first] == sorted(need["severity"] for need in first)
    later = replace(facts, today=TODAY + timedelta(days=1), as_of=TODAY + timedelta(days=1))
    second = {need["code"]: need["since"] for need in needs(later, earlier=first)}
    assert second["health_drop"] == first[0]["since"]
    assert second["band_d"] == TODAY.isoformat()
    assert need_codes(first).startswith(",health_drop,")


def test_rank_orders_by_severity_then_amount():
    def need(severity):
        return [{"code": "silent", "severity": severity, "since": "2026-01-01", "facts": {}}]

    ranks = [
        need_rank(need(3), 10**15),
        need_rank(need(2), None),
        need_rank(need(2), 5_000_000),
        need_rank(need(1), 0),
        need_rank(need(1), 10**15),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 5
    assert 0 < ranks[0] < ranks[-1] < 2**31
