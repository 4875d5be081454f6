"""What a customer is worth: closed forms, the model's probability, margin, curves, intervals."""

from datetime import date, timedelta

import numpy as np
import pytest
from factories import NOW, make_churn_model, make_customer, make_forecast, make_renewal

from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.calc.customer_value import (
    Coming,
    Kinds,
    Terms,
    spread_of,
    steady,
    summed,
    values,
)
from gengyun.revenue.calc.ltv import fit_sbg_spells, posterior
from gengyun.revenue.models import ForecastRun, RevenueSettings, Spend
from gengyun.revenue.queries.customer_value import inputs, values_of
from gengyun.usage.actions.defaults import install_defaults as install_metrics

TODAY = date(2026, 3, 2)
DRAWS = 64


def one(*, lost=0.2, due_in=0.0, term=1, arr=100.0, passed=0, spread=0.0):
    return Coming(
        np.array([due_in]), np.array([term]), np.array([arr]), np.array([passed]),
        np.array([lost]), np.array([spread]), np.array([0]),
    )  # fmt: skip


def kinds(alpha, beta, growth=1.0):
    return Kinds(np.full((1, DRAWS), alpha), np.full((1, DRAWS), beta), np.array([growth]))


@pytest.mark.parametrize("retention", [0.5, 0.8, 0.95])
def test_a_constant_hazard_gives_the_closed_form_within_a_percent(retention):
    terms = Terms(margin=0.7, cost=0.1, discount=0.08)
    found = values(one(lost=1 - retention), kinds(*steady(retention)), terms, years=10).mean()
    ratio = retention / 1.08
    # k-th payment: retention^(k+1) / 1.08^k, k = 0 … 9
    exact = 100 * 0.6 * retention * (1 - ratio**10) / (1 - ratio)
    assert found == pytest.approx(exact, rel=0.01)


def test_renewals_behind_the_next_one_follow_the_curve_given_those_passed():
    terms = Terms(margin=1.0, cost=0.0, discount=0.0)
    found = values(one(lost=0.3, passed=2), kinds(0.7, 1.2), terms, years=3).mean()
    fourth, fifth = (1.2 + 3) / (1.9 + 3), (1.2 + 4) / (1.9 + 4)  # (b + n) / (a + b + n)
    assert found == pytest.approx(100 * 0.7 * (1 + fourth + fourth * fifth))


def test_a_curve_drawn_at_the_edge_is_worth_what_its_limit_is():
    """alpha and beta both next to 0: who stays once stays for ever. Nothing is divided by zero."""
    terms = Terms(margin=1.0, cost=0.0, discount=0.0)
    edge = values(one(lost=0.3, due_in=0.5), kinds(0.0, 0.0), terms, years=3)
    near = values(one(lost=0.3, due_in=0.5), kinds(1e-9, 1e-9), terms, years=3)
    assert np.isfinite(edge).all()
    assert edge == pytest.approx(near)


def test_a_running_term_pays_at_its_anniversaries_for_certain_and_renews_as_long_as_it_was():
    terms = Terms(margin=1.0, cost=0.0, discount=0.0)
    found = values(one(lost=0.4, due_in=1.5, term=2), kinds(1.0, 1.0), terms, years=3)
    # in half a year for certain, then at 1.5 and 2.5 years with the chance to renew once
    assert found.mean() == pytest.approx(100 + 2 * 60)


def test_an_amount_grows_at_renewals_and_never_wildly():
    terms = Terms(margin=1.0, cost=0.0, discount=0.0)
    modest = values(one(lost=0.0), kinds(*steady(1 - 1e-9), growth=1.1), terms, years=2).mean()
    assert modest == pytest.approx(110 + 121, rel=1e-4)
    wild = values(one(lost=0.0), kinds(*steady(1 - 1e-9), growth=9.0), terms, years=2).mean()
    assert wild == pytest.approx(120 + 144, rel=1e-4)


def test_who_costs_more_than_they_bring_is_worth_less_than_nothing():
    found = values(one(), kinds(1.0, 3.0), Terms(margin=0.2, cost=0.5), years=3)
    assert found.max() < 0


def test_an_unsure_probability_makes_a_wide_interval_and_keeps_the_middle():
    terms = Terms(margin=0.8, cost=0.0)
    wide = spread_of(np.array(0.1), np.array(0.5))
    assert spread_of(np.array(np.nan), np.array(np.nan)) == 0
    rows = values(one(lost=0.25, spread=float(wide)), kinds(1.0, 3.0), terms, years=3)
    mean, low, high = summed(rows, np.array([0]), 1)
    sure = values(one(lost=0.25), kinds(1.0, 3.0), terms, years=3)
    assert low[0] < sure.mean() < high[0]
    assert mean[0] == pytest.approx(sure.mean(), rel=0.05)
    # eight in ten of the draws of one probability: its own interval
    assert low[0] == pytest.approx(sure.mean() * 0.5 / 0.75, rel=0.03)
    assert high[0] == pytest.approx(sure.mean() * 0.9 / 0.75, rel=0.03)


def test_draws_of_a_curve_surround_its_fit():
    left, staying = {1: 131, 2: 126, 3: 90, 4: 60, 5: 42, 6: 34, 7: 26}, {7: 491}
    fit = fit_sbg_spells(left, staying)
    assert (fit.alpha, fit.beta) == (pytest.approx(0.668, abs=0.01), pytest.approx(3.806, abs=0.01))
    draws = posterior(fit, left, staying, DRAWS)
    first = [alpha / (alpha + beta) for alpha, beta in draws]
    assert len(draws) == DRAWS
    assert min(first) < fit.alpha / (fit.alpha + fit.beta) < max(first)
    assert np.median(first) == pytest.approx(fit.alpha / (fit.alpha + fit.beta), rel=0.1)


# --- from the books -----------------------------------------------------------------------------


@pytest.fixture
def ground(db, settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_metrics(now=NOW)
    install_cards(now=NOW)
    RevenueSettings.objects.create(pk=1, gross_margin_bp=8_000)


def past(customer, years, lost_at=None, group="suite"):
    for year in range(years):
        is_lost = lost_at == year
        due = date(2020 + year, 6, 30)
        make_renewal(
            customer, due, group=group, created_at=NOW - timedelta(days=4_000),
            state="lost" if is_lost else "renewed", decided_on=due,
            outcome_minor=0 if is_lost else 10_000_000,
        )  # fmt: skip
        if is_lost:
            return


def test_without_a_margin_nothing_is_said(db):
    customer = make_customer()
    make_renewal(customer, date(2026, 8, 1))
    record_forecast(as_of=TODAY, now=NOW)
    assert inputs(TODAY) is None


def test_the_models_probability_moves_the_value_and_the_summary_follows(ground):
    likely, unlikely, unknown = (make_customer() for _ in range(3))
    model = make_churn_model()
    for customer, probability in ((likely, 0.8), (unlikely, 0.05)):
        make_forecast(make_renewal(customer, date(2026, 8, 1)), probability, model)
    make_renewal(unknown, date(2026, 8, 1))
    record_forecast(as_of=TODAY, now=NOW)
    refresh_summaries(now=NOW)
    rows = CustomerSummary.objects.in_bulk([likely.pk, unlikely.pk, unknown.pk])
    assert rows[likely.pk].ltv_minor < rows[unknown.pk].ltv_minor < rows[unlikely.pk].ltv_minor
    assert rows[likely.pk].ltv_low_minor < rows[likely.pk].ltv_minor
    assert rows[likely.pk].ltv_minor < rows[likely.pk].ltv_high_minor


def test_a_curve_is_fitted_where_there_is_enough_and_told_where_not(ground):
    for n in range(40):
        past(make_customer(), 4, lost_at=n % 4 if n % 5 < 3 else None)
    record_forecast(as_of=TODAY, now=NOW)
    curve = ForecastRun.objects.get().odds["curves"][""]
    assert curve["lives"] == 40
    assert len(curve["draws"]) == DRAWS
    customer = make_customer()
    past(customer, 3)
    make_renewal(customer, date(2026, 6, 30), group="suite")
    found = values_of([customer.pk], inputs(TODAY), {})[customer.pk]
    assert found.has_curve
    assert found.renewals == 1
    assert found.low_minor < found.shown_minor < found.high_minor < found.capped_minor


def test_too_few_lives_fall_back_to_the_rate_of_their_kind(ground):
    customer = make_customer()
    make_renewal(customer, date(2026, 8, 1))
    record_forecast(as_of=TODAY, now=NOW)
    assert ForecastRun.objects.get().odds["curves"] == {}
    found = values_of([customer.pk], inputs(TODAY), {})[customer.pk]
    assert not found.has_curve
    assert found.shown_minor > 0


def test_what_serving_costs_is_taken_off(ground):
    customer = make_customer()
    make_renewal(customer, date(2026, 8, 1), 120_000_000)
    record_forecast(as_of=TODAY, now=NOW)
    before = values_of([customer.pk], inputs(TODAY), {})[customer.pk].shown_minor
    for month in (1, 2):
        Spend.objects.create(kind="cs", month=date(2026, month, 1), amount_minor=2_000_000,
                             known_at=NOW)  # fmt: skip
    known = inputs(TODAY)
    assert known.terms.cost == pytest.approx(0.2)  # 24 万 a year of 120 万
    after = values_of([customer.pk], known, {})[customer.pk].shown_minor
    assert after == pytest.approx(before * 0.6 / 0.8, rel=1e-3)


def test_a_renewal_signed_after_the_day_teaches_nothing(ground):
    for n in range(40):
        past(make_customer(), 4, lost_at=n % 4 if n % 5 < 3 else None)
    from gengyun.revenue.queries.customer_value import learn_curves

    assert learn_curves(date(2019, 1, 1), 30) == {}
    assert learn_curves(date(2021, 12, 1), 30) == {}  # two due dates are no curve
    assert set(learn_curves(TODAY, 30)) == {"", "0"}


def test_a_curve_keeps_digits_that_count():
    """Three of 34 left at the first renewal and nobody later: both parameters are next to 0."""
    from gengyun.revenue.queries.customer_value import _curve

    found = _curve([[False]] * 3 + [[True]] * 11 + [[True] * 2] * 10 + [[True] * 4] * 10)
    assert found is not None
    assert 0 < found["alpha"] < found["beta"] < 0.05
    assert found["beta"] / (found["alpha"] + found["beta"]) == pytest.approx(31 / 34, abs=0.01)
