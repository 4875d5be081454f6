"""A customer that is more likely lost than kept needs somebody, with the reason."""

from dataclasses import replace
from datetime import date

import pytest
from factories import NOW, make_churn_model, make_customer, make_forecast, make_renewal

from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.needs import AlertFact, ChurnFact, CustomerFacts, needs
from gengyun.portfolio.models import CustomerSummary
from gengyun.usage.actions.defaults import install_defaults as install_metrics
from gengyun.web.present.needs import facts as further_facts
from gengyun.web.present.needs import reasons, sentence

TODAY = date(2026, 3, 2)
DRIVER = {
    "feature": "champion_left", "reason": "champion_left", "points": 0.2,
    "fact": {"champion_left_days": 12.0},
}  # fmt: skip
FACTS = CustomerFacts(
    today=TODAY, touch_model="high", known_on=date(2025, 1, 1), as_of=TODAY, score=82.0, band="A",
    change_week=0.0, movers=(), coverage=1.0, below_since=None, last_event_on=TODAY,
    last_touch_on=TODAY, last_touch_kind="call", renews_on=date(2026, 5, 1), next_step="",
    next_step_on=None,
)  # fmt: skip
LIKELY = ChurnFact(0.62, 0.5, 0.73, date(2026, 5, 1), date(2026, 2, 16), DRIVER)


def codes(**changes):
    return [need["code"] for need in needs(replace(FACTS, **changes))]


def test_more_likely_lost_than_kept_within_ninety_days_needs_somebody():
    assert codes(churn=LIKELY) == ["churn_likely"]
    assert codes(churn=replace(LIKELY, probability=0.49)) == []
    assert codes(churn=replace(LIKELY, on=date(2026, 6, 1))) == []
    assert codes(churn=replace(LIKELY, on=date(2026, 3, 1))) == []
    assert codes(churn=None) == []


def test_it_is_urgent_in_the_last_thirty_days_and_dated_from_when_it_began():
    (need,) = needs(replace(FACTS, churn=LIKELY))
    assert (need["severity"], need["since"]) == (2, "2026-02-16")
    (need,) = needs(replace(FACTS, churn=replace(LIKELY, on=date(2026, 4, 1))))
    assert need["severity"] == 1


def test_a_ticket_about_the_jump_speaks_for_it():
    ticket = AlertFact(2, TODAY, is_snoozed=False, facts={}, covers=frozenset({"churn_jump"}))
    assert codes(churn=LIKELY, alerts=[ticket]) == ["alert"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "Churn probability 62% (50–73%), due in 60 days; most of all: A champion left (12 days ago).",
        ),
        ("zh-hans", "断约概率 62%（50–73%），还有 60 天到期；最主要：拥护者离开（12 天前）。"),
    ],
)
def test_the_sentence_holds_figure_interval_and_reason(language, text):
    from django.utils import translation

    (need,) = needs(replace(FACTS, churn=LIKELY))
    with translation.override(language):
        assert sentence(need, zh=language != "en") == text


@pytest.fixture
def ground(db, settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_metrics(now=NOW)
    install_cards(now=NOW)


def test_the_summary_takes_the_reason_of_the_largest_renewal_of_the_day(ground):
    customer, model = make_customer(), make_churn_model()
    due = date(2026, 5, 1)
    history = [["2026-02-02", 0.3, 0.2, 0.4, 1], ["2026-02-16", 0.55, 0.4, 0.7, 1]]
    make_forecast(make_renewal(customer, due, 90_000_000), 0.7, model, drivers=[DRIVER],
                  history=history)  # fmt: skip
    make_forecast(make_renewal(customer, due, 10_000_000), 0.6, model, drivers=[])
    refresh_summaries(now=NOW)
    (need,) = [n for n in CustomerSummary.objects.get().needs if n["code"] == "churn_likely"]
    assert need["facts"]["driver"]["reason"] == "champion_left"
    assert need["since"] == "2026-02-16"
    assert need["facts"]["probability"] == pytest.approx(0.69)


def test_an_estimate_from_experience_calls_nobody(ground):
    customer = make_customer()
    make_forecast(make_renewal(customer, date(2026, 5, 1)), 0.7, make_churn_model("L0"))
    refresh_summaries(now=NOW)
    assert "churn_likely" not in CustomerSummary.objects.get().need_codes


def test_a_probability_that_calls_nobody_is_a_fact_of_the_overview(ground):
    from django.utils import translation

    customer = make_customer()
    make_forecast(make_renewal(customer, date(2026, 5, 1)), 0.2, make_churn_model())
    refresh_summaries(now=NOW)
    row = CustomerSummary.objects.get()
    with translation.override("en"):
        found = reasons(row, None, today=TODAY, zh=False)
        shown = further_facts(row, today=TODAY, zh=False)
    said = [fact for fact in found if fact.anchor == "#s-churn"]
    assert len(said) == 1
    assert said[0].text.startswith("Churn probability 20% (8–33%)")
    assert any(fact.anchor == "#s-churn" for fact in shown)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.22, 0.47, "22–47%"), (0.004, 0.02, "<1–2%"), (0.6, 0.996, "60–>99%"), (None, 0.5, "")],
)
def test_an_interval_is_told_as_a_probability_is(low, high, told):
    from gengyun.web.present.churn import interval

    assert interval(low, high) == told
