"""How a line as signed becomes ARR, rule by rule."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc import terms
from gengyun.revenue.calc.normalise import (
    RULES,
    ArrPolicy,
    Terms,
    annualise,
    counted_price,
    maintenance_rate_bp,
    tcv,
)

START = date(2025, 1, 1)


def line(amount, months=12, **values):
    defaults = {
        "kind": "subscription",
        "starts_on": START,
        "ends_on": terms.term_end(START, months),
    }
    return Terms(amount_minor=amount, **(defaults | values))


@pytest.mark.parametrize(
    ("signed", "policy", "arr", "rule"),
    [
        (line(3_600_000, 36), {}, 1_200_000, "by_paid_term"),
        (line(90_00, 3), {}, 360_00, "by_paid_term"),
        (line(1_272_000, tax_included=True, tax_rate_bp=600), {}, 1_200_000, "by_paid_term"),
        # twelve months paid, three given: as months and as days
        (line(30_000, 15, paid_months=Decimal(12)), {}, 30_000, "by_paid_term"),
        (line(30_000, 15, gift_days=90), {}, 30_000, "by_paid_term"),
        (line(30_000, 15, gift_days=90), {"term": "service"}, 24_000, "by_service_term"),
        (line(200, ends_on=date(2025, 1, 10)), {}, 7_300, "by_days"),
        (line(200, ends_on=date(2025, 1, 20), gift_days=10), {}, 7_300, "by_days"),
        (
            line(50, list_minor=100, discount_is_forever=False),
            {"discounts": "forever_only"},
            100,
            "list_by_paid_term",
        ),
        (line(50, list_minor=100), {"discounts": "forever_only"}, 50, "by_paid_term"),
        (line(50, list_minor=100, discount_is_forever=False), {}, 50, "by_paid_term"),
        (line(5, kind="one_off"), {}, 0, "one_off_zero"),
        (line(5, kind="licence"), {}, 0, "licence_zero"),
        (line(5, is_trial=True), {}, 0, "trial_zero"),
        (
            line(0, kind="maintenance", maintenance_base_minor=1_000, maintenance_rate_bp=1_800),
            {},
            180,
            "maintenance_rate",
        ),
        (line(300, 3, yearly_minor=1_272, tax_included=True, tax_rate_bp=600), {}, 1_200,
         "by_yearly_price"),
    ],
)  # fmt: skip
def test_arr_by_its_rule(signed, policy, arr, rule):
    found = annualise(signed, ArrPolicy(**policy))
    assert (found.arr_minor, found.rule) == (arr, rule)
    assert found.sentence == RULES[rule]


def test_usage_counts_as_the_company_says():
    usage = line(
        0, kind="usage", committed_minor=6_000_000, usage_minor=(120_000, 180_000, 210_000)
    )
    found = {
        policy: annualise(usage, ArrPolicy(usage=policy)).arr_minor
        for policy in ("committed", "last_month", "t3m", "excluded")
    }
    assert found == {
        "committed": 6_000_000, "last_month": 8_520_000, "t3m": 8_040_000, "excluded": 0,
    }  # fmt: skip


def test_total_contract_value_keeps_everything_signed():
    assert tcv([line(3_600_000), line(800_000, kind="one_off")]) == 4_400_000
    assert tcv([line(106, tax_included=True, tax_rate_bp=600)]) == 100


def test_prices_and_rates():
    assert counted_price(Decimal(100), 5_000, is_forever=False) == 50
    assert counted_price(Decimal(100), 5_000, is_forever=False, policy="forever_only") == 100
    assert maintenance_rate_bp(Decimal(18), Decimal(100)) == 1_800
    assert maintenance_rate_bp(Decimal(18), Decimal(0)) is None
    assert round(terms.upgrade_due(Decimal(1920), 100, Decimal(4800)), 2) == Decimal("3406.03")
    assert terms.upgrade_credit(Decimal(1920), 400) == 0


def test_days_of_terms():
    assert terms.extended(date(2026, 2, 28), months=2) == date(2026, 4, 30)
    assert terms.next_term_end(date(2024, 3, 1), date(2025, 2, 28)) == date(2026, 2, 28)
    assert terms.next_term_end(date(2025, 1, 5), date(2025, 1, 14)) == date(2025, 1, 24)
    cancelled, paid = date(2025, 7, 5), date(2025, 7, 31)
    found = [terms.churn_day(cancelled, paid, p) for p in ("end_of_period", "at_cancel")]
    assert found == [paid, cancelled]
    assert terms.first_day_without(cancelled, paid) == date(2025, 8, 1)
    assert terms.first_day_without(cancelled, paid, "day_after_cancel") == date(2025, 7, 6)


@given(st.integers(0, 10**12), st.integers(1, 60), st.dates(date(2000, 1, 1), date(2060, 1, 1)))
def test_arr_is_proportional_and_has_no_day_of_its_own(amount, months, start):
    signed = line(amount, starts_on=start, ends_on=terms.term_end(start, months))
    found = annualise(signed).arr_minor
    assert abs(found * months - amount * 12) <= months  # rounded once
    assert found == annualise(line(amount, months)).arr_minor
