"""The watch-list, the review of lost renewals, noted risks, marks: as people meet them."""

import re
from datetime import timedelta

import pytest
from alert_rows import make_alert, make_rules
from django.test import Client
from factories import (
    People,
    make_churn_model,
    make_customer,
    make_forecast,
    make_renewal,
)

from gengyun.alerts.models import ChurnMark, Episode
from gengyun.engagement.models import Risk
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.team.models import User
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    """In the present: pages read the clock."""
    from gengyun.kernel.clock import utc_now

    people = People()
    people.now = utc_now()
    people.today = day_of(people.now)
    people.rules = make_rules()
    people.customer = make_customer("杭州云启科技", owner=people.owner, arr_minor=48_600_000)
    people.other = make_customer("北京衡石教育", owner=people.colleague)
    User.objects.update(language="en")
    refresh_summaries(now=people.now)
    return people


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def sliding(cast, customer):
    day = cast.today - timedelta(days=3)
    return Episode.objects.create(
        rule=cast.rules["slow_slide"],
        customer=customer,
        dedupe_key=f"c:{customer.pk}",
        state="open",
        opened_on=day,
        last_seen_on=cast.today,
        judged_on=cast.today,
        severity=4,
        evidence=[
            {"on": cast.today.isoformat(), "value": 5.0, "severity": 4, "weeks": 6,
             "rate_before": 20.0, "rate_now": 14.0}
        ],
        created_at=cast.now,
        updated_at=cast.now,
    )  # fmt: skip


def lost(cast, customer, *, days_ago, **values):
    on = cast.today - timedelta(days=days_ago)
    given = {"state": "lost", "decided_on": on, "outcome_minor": 0, "cause": "roi_wrong"}
    return make_renewal(customer, on, **(given | values))


# --- the watch-list ----------------------------------------------------------------------------


def test_the_watch_list_is_a_tab_without_work(cast, django_assert_num_queries):
    sliding(cast, cast.customer)
    client = browser(cast.owner)
    assert "Watch-list 1" in text_of(client.get("/alerts/"))
    page = client.get("/alerts/?tab=watch")
    said = text_of(page)
    assert "杭州云启科技" in said
    assert "Slowly 30% less over 6 weeks" in said
    assert "gy-bulk" not in page.content.decode()
    assert "杭州云启科技" not in text_of(browser(cast.colleague).get("/alerts/?tab=watch"))
    assert "Nobody slides" in text_of(browser(cast.colleague).get("/alerts/?tab=watch"))
    assert client.get("/alerts/?tab=watch&q=none&page=3").status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_watch_list_asks_as_often_for_many(cast, rows, django_assert_max_num_queries):
    for _ in range(rows):
        sliding(cast, make_customer(owner=cast.owner))
    client = browser(cast.owner)
    client.get("/alerts/?tab=watch")
    with django_assert_max_num_queries(26):
        client.get("/alerts/?tab=watch")


# --- lost renewals -----------------------------------------------------------------------------


def test_lost_renewals_list_the_alerts_before_them(cast):
    seen, missed = lost(cast, cast.customer, days_ago=10), lost(cast, cast.customer, days_ago=300)
    at = cast.now - timedelta(days=80)
    alert = make_alert(
        cast.rules["usage_drop"], cast.customer, at=at, ticket_on=day_of(at), verdict="true"
    )
    page = browser(cast.owner).get("/alerts/lost/")
    said = text_of(page)
    assert "2 renewals were lost, 50% of them (1) had an alert at least 30 days before." in said
    assert "70 days before" in said
    assert "missed" in said
    assert "ROI" in said
    assert f"/alerts/{alert.pk}/" in page.content.decode()
    assert "Usage drop 1" in said
    quarter = text_of(browser(cast.owner).get("/alerts/lost/?span=90"))
    assert "1 renewal was lost, 100% of them (1)" in quarter
    assert seen.pk != missed.pk


def test_losses_of_others_are_not_shown(cast):
    lost(cast, cast.other, days_ago=10)
    assert "Nothing to review" in text_of(browser(cast.owner).get("/alerts/lost/"))
    assert "北京衡石教育" in text_of(browser(cast.leader).get("/alerts/lost/?scope=team"))
    assert "北京衡石教育" not in text_of(browser(cast.leader).get("/alerts/lost/?scope=mine"))
    assert browser(cast.owner).get("/alerts/lost/?span=x&scope=y").status_code == 200


# --- noted risks -------------------------------------------------------------------------------


def test_a_risk_is_noted_settled_and_resumed(cast):
    client, path = browser(cast.owner), f"/customers/{cast.customer.pk}/risks/"
    card = client.get(f"/customers/{cast.customer.pk}/alerts/", headers=HTMX)
    assert "Note a risk" in text_of(card)
    assert "席位用满" not in card.content.decode()  # no cause of good news is offered
    given = {"cause": "competitor", "happened_on": cast.today.isoformat(), "note": "在试用飞鸟"}
    answer = client.post(path, given, headers=HTMX)
    assert answer.status_code == 200
    assert "在试用飞鸟" in text_of(answer)
    risk = Risk.objects.get()
    assert (risk.cause, risk.author) == ("competitor", cast.owner)
    assert client.post(f"{path}{risk.pk}/settled/", headers=HTMX).status_code == 200
    assert Risk.objects.get().end == "settled"
    assert client.post(f"{path}{risk.pk}/resume/").status_code == 302
    assert Risk.objects.get().ended_at is None
    client.post(f"{path}{risk.pk}/mistaken/")
    assert "在试用飞鸟" not in text_of(client.get(f"/customers/{cast.customer.pk}/alerts/"))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"cause": "competitor", "happened_on": "2100-01-01"}, 422),
        ({"cause": "competitor", "happened_on": "never"}, 422),
        ({"cause": ""}, 422),
        ({"cause": "no_such_cause"}, 404),
    ],
)
def test_what_cannot_be_noted_says_why(cast, given, status):
    path = f"/customers/{cast.customer.pk}/risks/"
    answer = browser(cast.owner).post(path, given, headers=HTMX)
    assert answer.status_code == status
    assert not Risk.objects.exists()
    if status == 422:
        assert 'role="alert"' in answer.content.decode()


def test_risks_of_other_peoples_customers_are_not_there(cast):
    path = f"/customers/{cast.other.pk}/risks/"
    given = {"cause": "competitor", "happened_on": cast.today.isoformat()}
    assert browser(cast.owner).post(path, given).status_code == 404
    browser(cast.colleague).post(path, given)
    risk = Risk.objects.get()
    assert browser(cast.owner).post(f"{path}{risk.pk}/settled/").status_code == 404
    wrong = f"/customers/{cast.customer.pk}/risks/{risk.pk}/settled/"
    assert browser(cast.owner).post(wrong).status_code == 404
    assert browser(cast.colleague).post(f"{path}{risk.pk}/other/").status_code == 404


# --- the panel ---------------------------------------------------------------------------------


def test_an_alert_about_churn_shows_its_line_and_leads_to_the_drivers(cast):
    renewal = make_renewal(cast.customer, cast.today + timedelta(days=80))
    weeks = [(cast.today - timedelta(weeks=k)).isoformat() for k in (3, 2, 1)]
    history = [[on, p, None, None, 1] for on, p in zip(weeks, (0.2, 0.3, 0.4), strict=True)]
    make_forecast(renewal, 0.45, make_churn_model(), as_of=cast.today, history=history)
    facts = {
        "why": "mark", "low": 0.35, "high": 0.55, "mark": 0.38, "before": 0.2,
        "before_on": weeks[0], "due_on": renewal.due_on.isoformat(), "amount_minor": 100,
        "currency": "CNY",
    }  # fmt: skip
    rule = cast.rules["churn_jump"]
    alert = make_alert(rule, cast.customer, at=cast.now, value=0.45, facts=facts)
    page = browser(cast.owner).get(f"/alerts/{alert.pk}/")
    assert "Churn probability 45% (35–55%)" in text_of(page)
    assert "at or above the mark of its tier, 38%" in text_of(page)
    assert "Churn probability (%)" in text_of(page)
    assert f"/customers/{cast.customer.pk}/#s-churn" in page.content.decode()
    drivers = browser(cast.owner).get(f"/customers/{cast.customer.pk}/churn/")
    assert "80% interval" in text_of(drivers)


def test_an_alert_about_a_noted_risk_suspects_its_cause(cast):
    facts = {
        "cause": "competitor", "cause_zh": "竞品进入", "cause_en": "A competitor came in",
        "happened_on": cast.today.isoformat(), "note": "Feiniao",
    }  # fmt: skip
    rule = cast.rules["risk_noted"]
    alert = make_alert(rule, cast.customer, at=cast.now, value=3.0, facts=facts)
    page = text_of(browser(cast.owner).get(f"/alerts/{alert.pk}/"))
    assert "Feiniao" in page
    assert "High · A competitor came in" in page


# --- settings ----------------------------------------------------------------------------------


def test_the_rules_page_says_the_marks_and_what_cannot_be_judged(cast):
    ChurnMark.objects.create(
        tier=None, value=0.38, monthly=2.5, customers=80, basis="history", set_on=cast.today
    )
    client = browser(cast.admin)
    said = text_of(client.get("/settings/alerts/"))
    assert "38%" in said
    assert "2.5" in said
    assert "No metric counts tickets" in said
    changes = {"churn_weekly": "5", "churn_monthly_per_hundred": "6"}
    assert client.post("/settings/alerts/policy/", changes).status_code == 303
    assert 'value="6"' in client.get("/settings/alerts/").content.decode()


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("churn_jump", {"jump": "0.9", "days": "30", "least": "15", "within_days": "180",
          "exit_share": "80", "grades": "A", "urgent": ""},
         {"jump": 0.9, "least": 0.15, "exit_share": 0.8, "grades": ["A"], "urgent": None}),
        ("risk_noted", {"days": "60", "grades": "high"}, {"days": 60, "grades": ["high"]}),
        ("sentiment_drop", {"metric": "csm_sentiment", "enter": "", "drop": "1", "days": "30"},
         {"metric": "csm_sentiment", "enter": None, "drop": 1}),
        ("asked_for", {"days": "14"}, {"days": 14}),
        ("survey_low", {"days": "14", "kinds": "nps"}, {"days": 14, "kinds": ["nps"]}),
        ("seats_full", {"metric": "seat_use_30d", "enter": "95", "exit": "85", "weeks": "6"},
         {"enter": 0.95, "exit": 0.85, "weeks": 6}),
    ],
)  # fmt: skip
def test_the_new_kinds_have_a_form_that_saves(cast, kind, typed, kept):
    install_metrics(now=cast.now)
    client, rule = browser(cast.admin), cast.rules[kind]
    page = client.get(f"/settings/alerts/{rule.pk}/").content.decode()
    assert all(f'name="p-{name}"' in page for name in typed)
    given = {
        "name_zh": "规则", "name_en": "Rule", "severity": "2", "cause": str(rule.cause_id),
        "cool_down_days": "14", "first_response_hours": "9", "resolve_days": "10", "how": "own",
        **{f"p-{name}": value for name, value in typed.items()},
    }  # fmt: skip
    assert client.post(f"/settings/alerts/{rule.pk}/", given).status_code == 303
    rule.refresh_from_db()
    assert rule.params | kept == rule.params
    assert rule.version == 2
    assert "Rule" in text_of(client.get("/settings/alerts/"))
