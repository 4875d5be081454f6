"""The churn probability in renewals: taken over, in the forecast, in the weekly snapshot."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer, make_tiers

from gengyun.churn.models import ChurnForecast, ChurnModel
from gengyun.revenue.actions.chances import take_chances
from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.actions.renewal_snapshots import take_snapshot
from gengyun.revenue.calc.chances import apart, is_apart, is_fresh, lost_of_calls
from gengyun.revenue.models import ForecastRun, Renewal, RenewalSnapshot
from gengyun.revenue.queries import chances
from gengyun.revenue.queries.forecast import expect

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
WAN = 1_000_000


@pytest.fixture
def people():
    return People()


def make_renewal(customer, *, due_on=date(2026, 5, 1), due=10 * WAN, **values):
    values = {
        "group": "crm", "category": "unjudged", "created_at": NOW - timedelta(days=300),
    } | values  # fmt: skip
    return Renewal.objects.create(customer=customer, due_on=due_on, due_minor=due, **values)


def make_model(rung="L1", **values):
    defaults = {
        "event": "non_renewal", "rung": rung, "state": "retired", "content": {},
        "trained_at": NOW, "cutoff": TODAY,
    }  # fmt: skip
    return ChurnModel.objects.create(**(defaults | values))


def say(renewal, probability, *, model=None, as_of=TODAY, **values):
    defaults = {
        "low": max(0.0, probability - 0.1),
        "high": min(1.0, probability + 0.1),
        "grade": "B",
        "due_on": renewal.due_on,
        "event": "non_renewal",
        "computed_at": NOW,
    }
    return ChurnForecast.objects.create(
        customer=renewal.customer, renewal=renewal, as_of=as_of, probability=probability,
        model=model, **(defaults | values),
    )  # fmt: skip


def learned():
    return ChurnForecast.objects.filter(probability__isnull=False).exclude(model__rung="L0")


def test_open_renewals_take_over_what_the_model_says_and_forget_what_it_no_longer_says():
    one, two, done = (make_renewal(make_customer()) for _ in range(3))
    Renewal.objects.filter(pk=done.pk).update(state="lost")
    said = say(one, 0.34)
    say(done, 0.5)
    Renewal.objects.filter(pk=two.pk).update(churn_probability=0.9, churn_on=TODAY)
    take_chances(learned())
    found = dict(Renewal.objects.values_list("pk", "churn_probability"))
    assert found == {one.pk: 0.34, two.pk: None, done.pk: None}
    said.delete()
    take_chances(learned(), customer_ids=[two.customer_id])
    assert Renewal.objects.get(pk=one.pk).churn_probability == 0.34
    take_chances(learned(), customer_ids=[one.customer_id])
    assert Renewal.objects.get(pk=one.pk).churn_probability is None


def test_forecast_uses_the_model_where_it_speaks_and_rates_elsewhere():
    known, unknown, past, stale = (make_renewal(make_customer()) for _ in range(4))
    Renewal.objects.filter(pk=known.pk).update(churn_probability=0.9, churn_on=TODAY)
    Renewal.objects.filter(pk=past.pk).update(
        churn_probability=0.9, churn_on=TODAY, due_on=TODAY - timedelta(days=3)
    )
    Renewal.objects.filter(pk=stale.pk).update(
        churn_probability=0.9, churn_on=TODAY - timedelta(days=30)
    )
    found = expect(Renewal.objects.all(), as_of=TODAY)
    assert (found.from_model, found.from_rates) == (1, 3)
    of = found.forecast.expected_minor
    assert of[known.pk] < 2 * WAN < 6 * WAN < of[unknown.pk]
    rates_alone = expect(Renewal.objects.all(), as_of=TODAY, probabilities={})
    assert (rates_alone.from_model, rates_alone.from_rates) == (0, 4)


def test_a_forecast_of_a_past_day_does_not_use_what_was_worked_out_later():
    renewal = make_renewal(make_customer())
    Renewal.objects.filter(pk=renewal.pk).update(churn_probability=0.9, churn_on=TODAY)
    assert expect(Renewal.objects.all(), as_of=TODAY - timedelta(days=1)).from_model == 0
    assert expect(Renewal.objects.all(), as_of=TODAY).from_model == 1


def test_the_weekly_snapshot_keeps_the_probability_of_that_day():
    fresh, stale, never = (make_renewal(make_customer()) for _ in range(3))
    Renewal.objects.filter(pk=fresh.pk).update(churn_probability=0.4, churn_on=TODAY)
    Renewal.objects.filter(pk=stale.pk).update(churn_probability=0.4, churn_on=date(2026, 1, 5))
    take_snapshot(as_of=TODAY)
    found = dict(RenewalSnapshot.objects.values_list("renewal_id", "probability"))
    assert found == {fresh.pk: 0.4, stale.pk: None, never.pk: None}


def test_a_call_starts_at_the_assumption_and_moves_to_what_came_out():
    assert lost_of_calls({})["commit"] == 0.05
    moved = lost_of_calls({"commit": (30, 90), "lost": (0, 50)})
    assert moved["commit"] == pytest.approx(0.305)
    assert moved["lost"] == 1.0


def test_twenty_five_points_are_a_disagreement_and_less_is_none():
    assert is_apart(apart("commit", 0.05, 0.30))
    assert not is_apart(apart("commit", 0.05, 0.299))
    assert is_apart(apart("at_risk", 0.55, 0.30))
    assert is_apart(apart("expected", 0.30, 0.05))
    assert not is_apart(apart("commit", None, 0.9))
    assert not is_apart(apart("commit", 0.05, None))


def test_a_model_that_is_surer_of_the_same_is_no_disagreement():
    """Commits that came to 40 % losses say how hopeful CSMs were; a model at 3 % is with them."""
    assert not is_apart(apart("commit", 0.40, 0.03))
    assert not is_apart(apart("at_risk", 0.30, 0.80))
    assert is_apart(apart("at_risk", 0.30, 0.02))


def test_the_database_finds_the_same_disagreements_as_the_formula():
    cases = [("commit", 0.3), ("commit", 0.29), ("at_risk", 0.3), ("at_risk", 0.31),
             ("unjudged", 0.9), ("lost", 0.5), ("expected", None), ("expected", 0.45),
             ("at_risk", 0.95)]  # fmt: skip
    rows = [
        make_renewal(make_customer(), category=category, churn_probability=p)
        for category, p in cases
    ]
    closed = make_renewal(make_customer(), category="commit", churn_probability=0.9, state="lost")
    known = chances.calls()
    wanted = {
        row.pk
        for row, (category, p) in zip(rows, cases, strict=True)
        if is_apart(apart(category, known.lost.get(category), p))
    }
    found = Renewal.objects.filter(chances.is_apart(known))
    assert set(found.values_list("pk", flat=True)) == wanted
    assert len(wanted) == 4
    order = Renewal.objects.annotate(apart=chances.apart_of(known)).order_by("-apart", "pk")
    assert [round(row.apart, 2) for row in order][:5] == [0.5, 0.25, 0.25, 0.25, 0]
    assert order[0].category == "lost"
    assert order.get(pk=closed.pk).apart == 0


def test_a_week_remembers_what_categories_came_to():
    tiers = make_tiers()
    customer = make_customer(tier=next(iter(tiers.values())))
    for place, state in enumerate(("renewed", "lost", "lost")):
        day = date(2025, 10 + place, 1)
        make_renewal(customer, due_on=day, category="commit", state=state, decided_on=day,
                     created_at=NOW - timedelta(days=500),
                     outcome_minor=10 * WAN if state == "renewed" else 0)  # fmt: skip
    record_forecast(as_of=TODAY, now=NOW)
    assert ForecastRun.objects.get().odds["calls"] == {"commit": [2, 3]}
    assert chances.calls().lost["commit"] == pytest.approx((0.5 + 2) / 13)


def test_a_probability_counts_eight_days_and_until_the_due_day():
    due = date(2026, 5, 1)
    assert is_fresh(TODAY, TODAY, due)
    assert is_fresh(TODAY - timedelta(days=7), TODAY, due)
    assert not is_fresh(TODAY - timedelta(days=8), TODAY, due)
    assert not is_fresh(TODAY + timedelta(days=1), TODAY, due)
    assert not is_fresh(TODAY, TODAY, TODAY - timedelta(days=1))
    assert not is_fresh(None, TODAY, due)
