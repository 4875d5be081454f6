"""The churn probability of a customer: its summary row, the list's order and conditions."""

from datetime import date, timedelta

import pytest
from factories import (
    NOW,
    make_churn_model,
    make_customer,
    make_forecast,
    make_renewal,
    make_user,
)

from gengyun.churn.models import ChurnForecast
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.kernel.outbox import emit
from gengyun.portfolio import handlers
from gengyun.portfolio.actions.chances import follow_chances
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.filters import BadFilter, parse_filters
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.churn import churn_of
from gengyun.portfolio.queries.customer_list import ListQuery, list_page
from gengyun.revenue.models import Renewal
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
MAY, AUGUST = date(2026, 5, 1), date(2026, 8, 1)


@pytest.fixture
def ground(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_tiers(now=NOW)
    install_metrics(now=NOW)
    install_cards(now=NOW)


def of(customer):
    return churn_of([customer.pk]).get(customer.pk)


def test_what_comes_due_next_is_weighed_by_amount_and_later_days_stay_out():
    customer, model = make_customer(), make_churn_model()
    make_forecast(make_renewal(customer, MAY, 30_000_000), 0.2, model, grade="A")
    make_forecast(make_renewal(customer, MAY, 10_000_000), 0.6, model, grade="C")
    make_forecast(make_renewal(customer, AUGUST), 0.9, model)
    found = of(customer)
    assert found.probability == pytest.approx(0.3)
    assert found.low == pytest.approx((3 * 0.08 + 0.48) / 4)
    assert (found.on, found.grade, found.is_estimate) == (MAY, "C", False)


def test_a_day_that_is_past_speaks_only_where_nothing_comes():
    customer = make_customer()
    late = make_renewal(customer, TODAY - timedelta(days=5))
    make_forecast(late, 0.8)
    assert of(customer).on == late.due_on
    make_forecast(make_renewal(customer, AUGUST), 0.1)
    assert of(customer).on == AUGUST


def test_refused_is_told_with_its_reason_and_never_as_nothing():
    customer = make_customer()
    make_forecast(make_renewal(customer, MAY), None, refused="too_little_known")
    found = of(customer)
    assert (found.probability, found.refused, found.on) == (None, "too_little_known", MAY)
    assert of(make_customer()) is None


def test_an_estimate_is_marked_and_does_not_reach_the_renewal():
    customer = make_customer()
    estimated = make_renewal(customer, MAY)
    make_forecast(estimated, 0.3, make_churn_model("L0"))
    learned = make_renewal(customer, AUGUST)
    make_forecast(learned, 0.4, make_churn_model("L2"))
    follow_chances()
    assert of(customer).is_estimate
    found = dict(Renewal.objects.values_list("pk", "churn_probability"))
    assert found == {estimated.pk: None, learned.pk: 0.4}


def test_the_summary_shows_it_and_follows_the_event(ground):
    customer = make_customer()
    renewal = make_renewal(customer, MAY)
    refresh_summaries(now=NOW)
    assert CustomerSummary.objects.get().churn is None
    make_forecast(renewal, 0.34, make_churn_model())
    emit("churn.changed", {"customer_ids": [customer.pk]}, now=NOW)
    handlers.refresh_changed({"customer_ids": [customer.pk]}, NOW)
    handlers.chances_changed({"customer_ids": [customer.pk]}, NOW)
    row = CustomerSummary.objects.get()
    assert (row.churn, row.churn_on, row.churn_grade) == (0.34, MAY, "B")
    assert Renewal.objects.get().churn_probability == 0.34
    ChurnForecast.objects.all().delete()
    refresh_summaries(now=NOW)
    assert CustomerSummary.objects.get().churn is None


@pytest.fixture
def book(ground):
    model = make_churn_model()
    for name, probability in (("甲", 0.3), ("乙", 0.05), ("丙", None), ("丁", 0.62)):
        customer = make_customer(name)
        make_forecast(make_renewal(customer, MAY), probability, model)
    make_customer("戊")
    refresh_summaries(now=NOW)
    return make_user("admin")


def names(actor, *filters, sort="name"):
    query = ListQuery.from_json({"filters": list(filters), "sort": sort})
    return [row.name for row in list_page(actor, query, today=TODAY).rows]


def test_list_is_ordered_by_it_and_those_of_whom_nothing_is_known_come_last(book):
    assert names(book, sort="-churn")[:3] == ["丁", "甲", "乙"]
    assert names(book, sort="churn")[:3] == ["乙", "甲", "丁"]
    assert set(names(book, sort="-churn")[3:]) == {"丙", "戊"}


def test_condition_is_in_percent_and_unknown_fits_no_number(book):
    assert names(book, {"field": "churn", "op": "gte", "value": "30"}, sort="-churn") == [
        "丁", "甲",
    ]  # fmt: skip
    assert names(book, {"field": "churn", "op": "lt", "value": "30%"}) == ["乙"]
    assert set(names(book, {"field": "churn", "op": "none"})) == {"丙", "戊"}
    for bad in ("101", "-1", "x", "nan"):
        with pytest.raises(BadFilter):
            parse_filters([{"field": "churn", "op": "gte", "value": bad}])


def test_pages_of_the_order_meet_without_gap_or_double(book, monkeypatch):
    from gengyun.portfolio.queries import customer_list

    monkeypatch.setattr(customer_list, "PAGE_SIZE", 2)
    query = ListQuery.from_json({"sort": "-churn"})
    seen, after = [], ""
    while True:
        page = list_page(book, query, today=TODAY, after=after)
        seen += [row.name for row in page.rows]
        after = page.next_at
        if not after:
            break
    assert seen[:3] == ["丁", "甲", "乙"]
    assert len(seen) == len(set(seen)) == 5


def test_the_change_against_a_month_ago_is_that_of_the_same_renewals():
    from gengyun.portfolio.queries.churn import change_since, said_of

    customer, model = make_customer(), make_churn_model()
    large = make_renewal(customer, MAY, 30_000_000)
    small = make_renewal(customer, MAY, 10_000_000)
    make_forecast(large, 0.2, model)
    make_forecast(small, 0.6, model)
    said = said_of([customer.pk])[customer.pk]
    then = {(customer.pk, large.pk): 0.1, (customer.pk, small.pk): 0.1}
    assert change_since(customer.pk, said, then) == pytest.approx(20)
    del then[customer.pk, small.pk]
    assert change_since(customer.pk, said, then) is None


def test_between_two_nights_the_change_stays_as_it_was(ground):
    customer = make_customer()
    make_forecast(make_renewal(customer, MAY), 0.34, make_churn_model())
    refresh_summaries(now=NOW)
    CustomerSummary.objects.update(churn_change=12.5)
    refresh_summaries(customer_ids=[customer.pk], now=NOW)
    assert CustomerSummary.objects.get().churn_change == 12.5
    refresh_summaries(now=NOW)
    assert CustomerSummary.objects.get().churn_change is None
