"""The churn probability on the customer's page: figure, reasons with facts, refusal, access."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation
from factories import (
    People,
    make_churn_model,
    make_customer,
    make_forecast,
    make_renewal,
    make_user,
)

from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.summaries import refresh_summaries

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
DRIVERS = [
    {"feature": "decision_maker_change", "reason": "decision_maker_change", "points": 0.11,
     "contribution": 0.6, "fact": {"decision_maker_change_days": 4.0}},
    {"feature": "rate_trend", "reason": "use_trend", "points": 0.08, "contribution": 0.4,
     "fact": {"rate_28": 59.0, "rate_prev90": 100.0}},
    {"feature": "overdue_days", "reason": "overdue_days", "points": -0.03, "contribution": -0.2,
     "fact": {"overdue_days": 0.0}},
]  # fmt: skip


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def me():
    return make_user("admin", language="en")


@pytest.fixture
def web(me):
    return client_of(me)


def said(customer, probability=0.34, *, days=86, rung="L2", **values):
    today = day_of(utc_now())
    renewal = make_renewal(customer, today + timedelta(days=days))
    defaults = {
        "as_of": today, "drivers": DRIVERS, "missing": ["nps_last", "nps_age"],
        "p30": 0.01, "p90": 0.34, "p180": 0.35,
        "counterfactuals": [{"key": "use_back", "probability": 0.27}],
    }  # fmt: skip
    forecast = make_forecast(renewal, probability, make_churn_model(rung), **(defaults | values))
    refresh_summaries(now=utc_now())
    return forecast


def card(web, customer):
    return web.get(f"/customers/{customer.pk}/churn/", headers=HTMX).content.decode()


def test_head_of_the_page_says_figure_interval_day_and_confidence(web):
    customer = make_customer()
    said(customer)
    text = web.get(f"/customers/{customer.pk}/").content.decode()
    assert "34% <span" in text
    assert "22–47%" in text
    assert "confidence medium" in text
    assert 'id="s-churn"' in text


def test_card_tells_reasons_with_their_facts_and_what_is_not_known(web):
    customer = make_customer()
    said(customer)
    text = card(web, customer)
    assert re.search(r"The decision maker changed \d{4}-\d\d-\d\d \(4 days ago\)", text)
    assert "Use is 41% below that of the quarter before" in text
    assert "Nothing is overdue" in text
    assert "+11 pt" in text
    assert "−3 pt" in text
    assert "start at 18%" in text
    assert "learned from 212 decided renewals, of which 31 were lost" in text
    assert "Not known" in text
    assert text.count("NPS") == 1
    assert "34% → 27%" in text
    assert "not the effect of doing it" in text
    assert "<html" not in text


def test_what_is_left_over_is_told_where_the_start_is_known(web):
    from gengyun.web.present.churn import why

    class Forecast:
        probability, drivers, base = 0.34, DRIVERS, 0.13

    found = why(Forecast)
    assert (found.start, found.rest, found.total) == ("13%", "+5", "34%")


def test_refusal_says_why_and_shows_no_number(web):
    customer = make_customer()
    said(customer, None, refused="too_little_known", drivers=[], counterfactuals=[])
    text = card(web, customer)
    assert "too little is known of this customer" in text
    assert "gy-big" not in text
    assert "not said" in web.get(f"/customers/{customer.pk}/").content.decode()


def test_an_estimate_is_called_one(web):
    customer = make_customer()
    said(customer, rung="L0")
    assert "experience-based estimate" in card(web, customer)
    assert "no outcomes to learn from yet" in card(web, customer)


def test_every_open_renewal_is_listed_and_the_next_one_speaks(web):
    customer = make_customer()
    said(customer, 0.34, days=40)
    said(customer, 0.71, days=200)
    text = card(web, customer)
    assert text.count('href="/renewals/') == 2
    assert 'gy-big">34%' in text
    assert "71%" in text


def test_several_that_are_due_on_one_day_are_weighed_together(web):
    customer = make_customer()
    said(customer, 0.3, days=40)
    said(customer, 0.5, days=40)
    text = card(web, customer)
    assert "2 renewals, weighed by amount; above is the largest" in text
    assert "<dd>40% " in text


def test_without_a_forecast_the_card_says_what_it_needs(web):
    customer = make_customer()
    assert "No probability yet" in card(web, customer)
    assert "Churn probability</dt>" not in web.get(f"/customers/{customer.pk}/").content.decode()


def test_a_page_of_its_own_for_a_browser_without_script(web):
    customer = make_customer()
    said(customer)
    response = web.get(f"/customers/{customer.pk}/churn/")
    assert "<html" in response.content.decode()


def test_chinese_words(me):
    me.language = "zh-hans"
    me.save()
    customer = make_customer()
    said(customer)
    text = card(client_of(me), customer)
    assert "断约概率" in text
    assert "八成把握在 22–47% 之间" in text
    assert "为什么是 34%" in text
    assert "比上季少 41%" in text


def test_only_who_sees_the_customer_sees_its_probability():
    people = People()
    customer = make_customer(owner=people.owner)
    said(customer)
    path = f"/customers/{customer.pk}/churn/"
    answers = {
        name: client_of(getattr(people, name)).get(path).status_code
        for name in ("owner", "colleague", "leader", "stranger", "viewer", "admin")
    }
    assert answers == {
        "owner": 200, "colleague": 404, "leader": 200, "stranger": 404, "viewer": 200, "admin": 200,
    }  # fmt: skip


def test_line_shows_where_another_model_began():
    from datetime import date

    from gengyun.web.present.churn_line import drawn, value_before

    points = [
        ["2026-01-05", 0.2, 0.1, 0.3, 1],
        ["2026-01-12", None, None, None, 1],
        ["2026-01-19", 0.4, 0.3, 0.5, 2],
        ["2026-02-16", 0.5, 0.4, 0.6, 2],
    ]
    line = drawn(points)
    assert line.changes == [106.7]
    assert line.top == 0.6
    assert line.path.startswith("M0.0 ")
    assert drawn(points[:1]).path == ""
    assert value_before(points, date(2026, 2, 16), days=28) == 0.4
    assert value_before(points, date(2026, 1, 20), days=30) is None


@pytest.fixture
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.usefixtures("in_english")
def test_no_reason_is_vague_where_a_number_is_kept():
    """Of the inputs alone (worst misses) or of the raw facts (forecasts): a number, or nothing."""
    from datetime import date

    from gengyun.web.present.churn_reasons import sentence

    told = {
        ("use_trend", "rate_trend_90", -0.5): "39% below that of the 90 days before",
        ("rate_trend_90", "rate_trend_90", 0.5): "65% above that of the 90 days before",
        ("use_trend", "rate_year_trend", -0.5): "39% below that of the year before",
        ("use_trend", "util_14_vs_28", -0.5): "39% below that of four weeks",
        ("use_trend", "users_lost_90", 0.25): "25% of the people of the quarter before",
        ("use_level", "util_28", 0.31): "31% of the bought seats were in use",
        ("use_rhythm", "active_weeks_52", 30.0): "30 of the last 52 weeks",
        ("power_user_share", "users_90", 2.0): "People who used it in 90 days: 2",
    }
    for (reason, key, value), text in told.items():
        said_of = sentence(reason, {key: value}, is_worse=True)
        assert text in said_of, (reason, key, said_of)
    pair = {"rate_28": 20.0, "rate_prev90": 40.0}
    assert "50% below that of the quarter before, rest days apart: 20, before 40" in sentence(
        "use_trend", pair, is_worse=True
    )
    happened = sentence("champion_left", {"champion_left_days": 3.0}, True, date(2026, 5, 10))
    assert happened == "A champion left 2026-05-07 (3 days ago)"
    assert "No use has been received" in sentence("use_level", {}, is_worse=False)
