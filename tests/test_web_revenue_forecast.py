"""The card of the expected renewal, the page behind it, the data of its chart."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer
from test_revenue_renewals import WAN, make_renewal

from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.models import ForecastRun, Renewal, RevenueSettings
from gengyun.revenue.queries.forecast import Week, expect
from gengyun.web.present.forecast import axis_floor, band, joined
from gengyun.web.present.forecast import now_as_week as _now

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "forecast"}
QUARTER = "/renewals/forecast/?p=2026q2&scope=team"


@pytest.fixture
def people():
    return People()


@pytest.fixture(autouse=True)
def today(monkeypatch):
    from gengyun.web import clock

    monkeypatch.setattr(clock, "utc_now", lambda: NOW)


@pytest.fixture
def world(people):
    """Next quarter: two of the owner, one of a colleague, one of another team."""
    return [
        make_renewal(make_customer("甲云科技", owner=people.owner), date(2026, 4, 10)),
        make_renewal(make_customer("乙星制造", owner=people.owner), date(2026, 5, 20), 20 * WAN),
        make_renewal(make_customer("丙海贸易", owner=people.colleague), date(2026, 5, 31), 40 * WAN),
        make_renewal(make_customer("别家公司", owner=people.stranger), date(2026, 5, 2), 80 * WAN),
    ]  # fmt: skip


def ask(client, user, path=QUARTER, language="en", **headers):
    user.language = language
    user.save()
    client.force_login(user)
    answer = client.get(path, **headers)
    assert answer.status_code == 200, answer.content.decode()[:600]
    return answer


def test_the_card_is_a_fragment_labelled_as_an_estimate(client, people, world):
    card = ask(client, people.leader, **HTMX).content.decode()
    assert card.lstrip().startswith("<section")
    assert "experience-based estimate" in card
    assert "P50" in card
    assert "of 700k due" in card
    assert "Only 0 renewals are decided so far" in card
    assert "assumption of 80%" in card
    zh = ask(client, people.leader, language="zh-hans", **HTMX).content.decode()
    assert "经验估计" in zh
    assert "八成把握" in zh


def test_each_sees_the_forecast_of_their_own(client, people, world):
    assert "of 300k due" in ask(client, people.owner, **HTMX).content.decode()
    assert "of 800k due" in ask(client, people.stranger, **HTMX).content.decode()
    assert "of 1.50M due" in ask(client, people.viewer, **HTMX).content.decode()


def test_the_page_shows_months_people_tiers_and_what_it_rests_on(client, people, world):
    page = ask(client, people.leader).content.decode()
    for text in ("By month", "By CSM", "By tier", "Quarter by quarter", "The five largest"):
        assert text in page, text
    assert people.owner.name in page
    assert people.colleague.name in page
    assert people.stranger.name not in page
    assert "甲云科技" in page
    assert "别家公司" not in page
    assert "How the interval is made" in page
    own = ask(client, people.owner).content.decode()
    assert "By CSM" not in own


def test_an_empty_period_says_so(client, people):
    card = ask(client, people.owner, **HTMX).content.decode()
    assert "Nothing comes due" in card
    assert "experience-based" in ask(client, people.owner).content.decode()


def test_a_decided_period_says_what_came_back(client, people):
    customer = make_customer(owner=people.owner)
    for group, kept in (("a", 9 * WAN), ("b", 0)):
        make_renewal(
            customer, date(2026, 4, 10), group=group, outcome_minor=kept, decided_on=TODAY,
            state="renewed" if kept else "lost",
        )  # fmt: skip
    card = ask(client, people.owner, **HTMX).content.decode()
    assert "All 2 renewals are decided: 90k of 200k came back." in card


def test_the_chart_goes_through_the_recorded_weeks_to_now(client, people, world):
    for k in (3, 2, 1):
        record_forecast(as_of=TODAY - timedelta(weeks=k), now=NOW)
    Renewal.objects.filter(pk=world[0].pk).update(category="commit", forecast_minor=5 * WAN)
    data = ask(client, people.leader, "/renewals/forecast/weeks/?p=2026q2&scope=team").json()
    assert len(data["labels"]) == 4
    assert data["due"] == 700
    assert data["said"] == [0, 0, 0, 50]
    assert all(
        low <= mid <= high
        for low, mid, high in zip(data["low"], data["values"], data["high"], strict=True)
    )
    assert data["finding"].startswith("P10")
    card = ask(client, people.leader, **HTMX).content.decode()
    assert 'data-chart="band"' in card


def test_a_past_day_is_answered_with_what_was_said_then(client, people, world):
    record_forecast(as_of=TODAY - timedelta(weeks=2), now=NOW)
    then = f"{QUARTER}&then={TODAY - timedelta(weeks=1)}"
    card = ask(client, people.leader, then, **HTMX).content.decode()
    assert "Said on 16 Feb" in card
    assert "of 700k due" in card
    Renewal.objects.update(due_minor=1 * WAN)
    assert ask(client, people.leader, then, **HTMX).content.decode() == card
    early = f"{QUARTER}&then={TODAY - timedelta(weeks=9)}"
    assert "No forecast of that week" in ask(client, people.leader, early, **HTMX).content.decode()
    assert ask(client, people.leader, early).status_code == 200
    assert ask(client, people.leader, f"/renewals/forecast/weeks/?p=2026q2&then={TODAY}")


@pytest.mark.parametrize("path", ["/renewals/forecast/", "/renewals/forecast/weeks/"])
def test_odd_addresses_are_answered(client, people, world, path):
    for query in ("p=1&by=x&tier=²&owner=99999999", "tier=5&by=month&p=2026-05", "then=2020-01-01"):
        ask(client, people.viewer, f"{path}?{query}")


def test_the_five_largest_are_taken_out(client, people):
    for k in range(7):
        make_renewal(make_customer(owner=people.owner), date(2026, 4, 10), (k + 1) * 10 * WAN)
    card = ask(client, people.owner, **HTMX).content.decode()
    assert "Without the five largest (89% of what is due)" in card
    assert "of 300k" in card


def test_now_takes_the_place_of_a_run_of_today(people, world):
    found = expect(Renewal.objects.all(), as_of=TODAY)
    now = _now(found, TODAY)
    past = [Week(TODAY - timedelta(days=7), 1, 1, 1, 1, 1, 1, 0), Week(TODAY, 2, 2, 2, 2, 2, 2, 0)]
    assert joined(past, now) == [past[0], now]
    assert joined(past, None) == past


def test_the_axis_starts_at_zero_or_at_a_round_number_below_everything():
    assert axis_floor([1, 2], [10]) == 0
    assert axis_floor([307.9, 338], [517]) == 300
    assert axis_floor([], []) == 0
    for least, most in ((900, 1_000), (51, 100), (9_500, 12_000), (0.9, 1.1)):
        floor = axis_floor([least], [most])
        assert 0 <= floor <= least
    assert band([], today=TODAY)["values"] == []


def test_the_company_states_its_own_rate(client, people, world):
    """Written in the settings, named on the page; a rate of nothing or of all is refused."""
    people.operations.language = "en"
    people.operations.save()
    client.force_login(people.operations)
    form = {
        "base_currency": "CNY", "loss_grace_days": "30", "capacity_low": "20",
        "capacity_high": "30", "stated_renewal": "91.5",
    }  # fmt: skip
    assert client.post("/settings/revenue/", form).status_code == 303
    assert RevenueSettings.objects.get(pk=1).stated_renewal_bp == 9_150
    assert 'value="91.5"' in client.get("/settings/revenue/").content.decode()
    page = ask(client, people.leader).content.decode()
    assert "what your company stated" in page
    assert "assumption of the product" not in page
    assert "mostly the 92% you stated" in page or "mostly the 91% you stated" in page
    for bad in ("0", "100", "x"):
        client.force_login(people.operations)
        answer = client.post("/settings/revenue/", form | {"stated_renewal": bad})
        assert answer.status_code == 422
    assert RevenueSettings.objects.get(pk=1).stated_renewal_bp == 9_150


def test_a_large_book_is_answered_by_this_weeks_run(client, people, world, monkeypatch):
    from gengyun.web.views import renewal_forecast

    record_forecast(as_of=TODAY, now=NOW)
    Renewal.objects.filter(pk=world[0].pk).update(due_minor=60 * WAN)
    assert "of 1.20M due" in ask(client, people.leader, **HTMX).content.decode()
    monkeypatch.setattr(renewal_forecast, "LIVE_MOST", 2)
    card = ask(client, people.leader, **HTMX).content.decode()
    assert "Said on 2 Mar" in card
    assert "of 700k due" in card
    assert "By month, CSM and tier, as of now" in card
    data = ask(client, people.leader, "/renewals/forecast/weeks/?p=2026q2&scope=team").json()
    assert data["due"] == 700
    page = ask(client, people.leader).content.decode()
    assert "of 1.20M due" in page
    ForecastRun.objects.update(as_of=TODAY - timedelta(days=20))
    assert "of 1.20M due" in ask(client, people.leader, **HTMX).content.decode()
