"""Unit economics and rates from totals: where there is no figure, the reason is the true one."""

from decimal import Decimal

import pytest

from gengyun.revenue.calc import figure as said
from gengyun.revenue.calc import ltv, renewal_rates, retention
from gengyun.revenue.calc import unit_economics as unit
from gengyun.revenue.calc.policies import choose


@pytest.mark.parametrize("margin", [0, -0.2])
def test_payback_without_a_margin_above_nothing_never_comes(margin):
    found = unit.cac_payback(cac=100, monthly_revenue=10, margin=margin)
    assert (found.value, found.reason) == (None, said.NO_PROFIT)
    nothing_won = unit.cac_payback(cac=100, monthly_revenue=0, margin=0.8)
    assert (nothing_won.value, nothing_won.reason) == (None, said.NO_NEW_ARR)
    both_below = unit.cac_payback(cac=100, monthly_revenue=-10, margin=-0.2)
    assert (both_below.value, both_below.reason) == (None, said.NO_NEW_ARR)
    assert unit.cac_payback(cac=100, monthly_revenue=10, margin=0.5).value == 20


def test_ltv_to_cac_says_what_its_parts_say():
    churn = unit.ltv(arpa=100, churn=0, margin=0.8)
    assert unit.ltv_to_cac(ltv=churn, cac=10).reason == said.NO_CHURN
    margin = unit.ltv(arpa=100, churn=0.1)
    assert unit.ltv_to_cac(ltv=margin, cac=10).reason == said.NO_MARGIN
    few = ltv.cohort_ltv([12, 9, 8, 7], arr=100, margin=0.8).shown
    told = unit.ltv_to_cac(ltv=few, cac=10)
    assert (told.reason, told.params["count"]) == (said.TOO_SMALL, 12)
    assert unit.ltv_to_cac(ltv=None, cac=10).reason == said.NO_LTV
    assert unit.ltv_to_cac(ltv=100, cac=None).reason == said.NO_SPEND
    nobody = unit.cac(spend=100, new_customers=0)
    assert unit.ltv_to_cac(ltv=100, cac=nobody).reason == said.NO_NEW_CUSTOMERS
    assert unit.cac_payback(cac=nobody, monthly_revenue=1, margin=1).reason == nobody.reason


def test_ltv_to_cac_of_figures_is_that_of_their_values():
    worth = unit.ltv(arpa=100, churn=0.1, margin=0.8)
    found = unit.ltv_to_cac(ltv=worth, cac=unit.cac(spend=400, new_customers=2))
    assert (found.value, found.numerator, found.denominator) == (4, 800, 200)
    assert (found.unit, found.definition) == ("ratio", unit.LTV_CAC)
    assert found.policy == worth.policy
    assert unit.ltv_to_cac(ltv=800, cac=200).value == 4


@pytest.mark.parametrize(
    "survivors, reason",
    [
        ([], said.TOO_SMALL),
        ([40, 30, 20], said.TOO_FEW_DATES),
        ([40, 0, 0, 0], said.ALL_LEFT),
        ([40, 40, 40, 40], said.NO_CHURN),
        ([40, 30, 35, 20], said.NOT_SURVIVORS),
        ([40, 30, 20, -1], said.NOT_SURVIVORS),
    ],
)
def test_a_cohort_without_a_curve_says_which_way(survivors, reason):
    found = ltv.cohort_ltv(survivors, arr=100, margin=0.8)
    assert (found.shown.value, found.shown.reason, found.capped.reason) == (None, reason, reason)


def test_churn_is_scaled_only_where_it_compounds():
    over = retention.scaled_churn(1.2, from_days=30)
    assert (over.value, over.reason) == (None, said.OVER_ALL)
    for days in ({"from_days": 0}, {"from_days": -30}, {"from_days": 30, "to_days": 0}):
        assert retention.scaled_churn(0.1, **days).reason == said.NO_LENGTH
    assert retention.scaled_churn(1, from_days=30).value == 1


# ---- policies of LTV


def test_the_floor_of_churn_holds_for_net_churn_too():
    policy = choose({"ltv": "margin_net_churn", "zero_churn": "floor", "churn_floor_bp": 500})
    assert unit.ltv(arpa=100, churn=0, margin=0.8, policy=policy).value == 1_600
    some = unit.ltv(arpa=100, churn=0, margin=0.8, expansion=0.01, policy=policy)
    assert some.value == 2_000
    over = unit.ltv(arpa=100, churn=0, margin=0.8, expansion=0.05, policy=policy)
    assert over.reason == said.NET_GAIN
    above = unit.ltv(arpa=100, churn=0.1, margin=0.8, expansion=0.02, policy=policy)
    assert above.value == 1_000


def test_ltv_is_never_nothing_or_less():
    policy = choose({"ltv": "margin_expansion"})
    falling = unit.ltv(arpa=100, churn=0.05, margin=0.8, growth=-10, policy=policy)
    assert (falling.value, falling.reason) == (None, said.SHRINKING)
    slower = unit.ltv(arpa=100, churn=0.05, margin=0.8, growth=-4, policy=policy)
    assert slower.value == 320
    assert unit.ltv(arpa=0, churn=0.05, margin=0.8).reason == said.NO_REVENUE
    assert unit.ltv(arpa=100, churn=0.05, margin=0).reason == said.NO_PROFIT
    assert unit.ltv(arpa=100, churn=-0.05, margin=0.8).reason == said.NET_GAIN
    no_margin_needed = choose({"ltv": "revenue"})
    assert unit.ltv(arpa=100, churn=0.05, margin=0, policy=no_margin_needed).value == 2_000


# ---- concentration and gross retention


def test_the_largest_tenth_is_rounded_down_but_is_somebody():
    for count, most in ((1, 1), (9, 1), (10, 1), (19, 1), (20, 2), (25, 2)):
        found = unit.top_share([10] * count, part=Decimal("0.1"))
        assert (found.numerator, found.denominator) == (10 * most, 10 * count)
    assert unit.top_share([], part=Decimal("0.1")).reason == said.NO_REVENUE


@pytest.mark.parametrize("lost, value", [(50, 0), (100, 0), (20, Decimal("0.5")), (-90, 1)])
def test_gross_rates_lie_between_nothing_and_all(lost, value):
    renewed = renewal_rates.gross_of_totals(due=100, renewed=70, contraction=lost)
    book = retention.grr_of_totals(start=100, churn=30, contraction=lost)
    assert renewed.value == book.value
    if lost != 50:
        assert book.value == value
    assert renewal_rates.gross_of_totals(due=100, renewed=20, contraction=50).value == 0
