"""LTV on the customer's page and in insight: scope, reasons, what only some may read."""

from datetime import timedelta

import pytest
from django.test import Client
from factories import NOW, People, make_churn_model, make_customer, make_forecast, make_renewal

from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.calc.life_curves import steps
from gengyun.revenue.models import RevenueSettings, Spend

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def people():
    return People()


def client_of(user):
    user.language = "en"
    user.save()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def worth(owner, *, margin=8_000, probability=0.2):
    today = day_of(utc_now())
    RevenueSettings.objects.update_or_create(pk=1, defaults={"gross_margin_bp": margin})
    customer = make_customer(owner=owner, arr_minor=10_000_000)
    renewal = make_renewal(customer, today + timedelta(days=60), 10_000_000)
    make_forecast(renewal, probability, make_churn_model(), as_of=today)
    record_forecast(as_of=today, now=utc_now())
    refresh_summaries(now=utc_now())
    return customer


def card(user, customer):
    return client_of(user).get(f"/customers/{customer.pk}/churn/", headers=HTMX).content.decode()


def test_card_says_value_interval_and_what_it_rests_on(people):
    text = card(people.owner, worth(people.owner))
    assert 'id="s-value"' in text
    assert "in 3 years; the expectation lies with eight in ten between" in text
    assert "with the churn probability of the model" in text
    assert "too few renewal dates for a curve" in text


def test_margin_and_cac_are_for_those_who_may_read_economics(people):
    customer = worth(people.owner)
    assert "Gross margin" not in card(people.owner, customer)
    text = card(people.leader, customer)
    assert "Gross margin" in text
    assert "No spend on sales and marketing is recorded for the period." in text


def test_ltv_to_cac_needs_spend_and_customers_won(people):
    from gengyun.revenue.models import Movement

    customer = worth(people.owner)
    month = (day_of(utc_now()).replace(day=1) - timedelta(days=40)).replace(day=1)
    Spend.objects.create(kind="sales_marketing", month=month, amount_minor=4_000_000, known_at=NOW)
    Movement.objects.create(
        customer=customer, kind="new", effective_on=month, arr_minor=10_000_000, currency="CNY",
        known_at=NOW, created_at=NOW,
    )  # fmt: skip
    text = card(people.admin, customer)
    assert "CAC 40k, the average of 12 months over 1 customers won" in text
    assert "6 months" in text  # 4 万 over 10 万 x 80 % / 12


def test_without_a_margin_it_says_what_is_missing(people):
    customer = worth(people.owner)
    RevenueSettings.objects.update(gross_margin_bp=None)
    assert "the gross margin is not known" in card(people.owner, customer)


def test_insight_shows_what_one_sees_and_no_more(people):
    mine = worth(people.owner)
    get = lambda user: client_of(user).get("/insight/value/?scope=team").content.decode()  # noqa: E731
    assert mine.name in get(people.owner)
    assert mine.name in get(people.leader)
    assert mine.name not in get(people.colleague)
    assert mine.name not in get(people.stranger)


def test_insight_by_segment_and_without_anything(people):
    assert (
        "The gross margin is not known"
        in client_of(people.admin).get("/insight/value/").content.decode()
    )
    worth(people.owner)
    for by in ("tier", "owner", "industry", "region", "nonsense"):
        response = client_of(people.admin).get(f"/insight/value/?by={by}&scope=team")
        assert response.status_code == 200
    assert (
        people.owner.name
        in client_of(people.admin).get("/insight/value/?by=owner&scope=team").content.decode()
    )


def test_kaplan_meier_and_the_curve_stand_side_by_side():
    first, second, third = steps([2, 1, 0], [1, 2, 4], 1.0, 3.0)
    assert (first.at_risk, first.seen) == (10, 0.8)
    assert (second.at_risk, second.seen) == (7, pytest.approx(0.8 * 6 / 7))
    assert (third.at_risk, third.seen) == (4, pytest.approx(0.8 * 6 / 7))
    assert [round(step.fitted, 4) for step in (first, second)] == [0.75, 0.6]
    assert steps([], [], 1.0, 1.0) == []
