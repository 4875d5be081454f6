"""What follows from the money and the days that a row states."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc.import_terms import Stated, disagrees, settled
from gengyun.revenue.calc.normalise import Terms, annualise

START = date(2026, 3, 1)


def of(**values):
    return settled(Stated(**({"kind": "subscription", "starts_on": START} | values)))


def arr_of(found, kind="subscription", starts_on=START, **more):
    return annualise(
        Terms(
            kind=kind,
            amount_minor=found.amount,
            starts_on=starts_on,
            ends_on=found.ends_on,
            paid_months=found.paid_months,
            gift_days=found.gift_days,
            yearly_minor=found.yearly,
            **more,
        )
    )


def test_amount_of_the_term_stays_what_it_is():
    found = of(ends_on=date(2029, 2, 28), amount=360_000_00)
    assert (found.amount, found.paid_months, found.yearly, found.notes) == (
        360_000_00, None, None, [],
    )  # fmt: skip
    assert arr_of(found) == annualise(Terms("subscription", 360_000_00, START, date(2029, 2, 28)))
    assert arr_of(found).arr_minor == 120_000_00


def test_length_gives_the_last_day():
    found = of(paid_months=Decimal(12), amount=120)
    assert (found.ends_on, found.gift_days, found.notes) == (
        date(2027, 2, 28), 0, ["end_from_term"],
    )  # fmt: skip


def test_gift_extends_the_term_and_not_the_price():
    found = of(paid_months=Decimal(12), gift_months=3, amount=30_000_00)
    assert (found.ends_on, found.gift_days) == (date(2027, 5, 31), 92)
    assert arr_of(found).arr_minor == 30_000_00
    by_end = of(ends_on=date(2027, 5, 31), gift_months=3, amount=30_000_00)
    assert (by_end.paid_months, by_end.gift_days) == (12, 92)
    assert arr_of(by_end).arr_minor == 30_000_00
    by_days = of(ends_on=date(2027, 3, 30), gift_days=30, amount=30_000_00)
    assert (by_days.paid_months, arr_of(by_days).arr_minor) == (12, 30_000_00)


def test_price_of_a_year_fills_the_term():
    found = of(ends_on=date(2028, 2, 29), annual=120_000_00)
    assert (found.amount, found.yearly, found.notes) == (
        240_000_00, 120_000_00, ["amount_from_year"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "interval, months, amount",
    [(None, 1, 833_00), (1, 1, 833_00), (12, 12, 9_996_00), (0, 1, 833_00)],
)
def test_open_ended_line_is_paid_by_its_billing_interval(interval, months, amount):
    found = of(monthly=833_00, interval_months=interval, is_open=True)
    assert (found.ends_on, found.paid_months, found.amount) == (None, months, amount)
    assert arr_of(found).arr_minor == 9_996_00


def test_price_of_a_month_over_odd_days_keeps_its_year():
    found = of(starts_on=date(2023, 12, 23), ends_on=date(2024, 4, 12), monthly=2_786_00)
    assert arr_of(found, starts_on=date(2023, 12, 23)).arr_minor == 33_432_00
    assert found.amount == round(33_432_00 * 112 / 365)  # 112 days, 23 December to 12 April


def test_list_price_less_discount_is_the_amount():
    found = of(ends_on=date(2027, 2, 28), list_price=100_000_00, discount_bp=1500)
    assert (found.amount, found.notes) == (85_000_00, ["amount_from_list"])


def test_a_row_without_money_says_so_unless_it_is_a_trial_or_a_commitment():
    assert of(ends_on=date(2027, 2, 28)).amount is None
    assert of(is_trial=True).amount == 0
    assert of(kind="usage", committed=60_000_00).amount == 0
    assert of(is_trial=True, monthly=500_00).yearly is None


def test_days_that_make_no_sense_are_left_to_the_rules():
    assert of(ends_on=date(2026, 2, 1), amount=1).ends_on == date(2026, 2, 1)
    assert of(paid_months=Decimal("1.5"), amount=1).ends_on is None
    assert of(ends_on=date(2026, 2, 1), annual=12_00).amount == 0


@given(
    st.integers(1, 10**9),
    st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    st.integers(0, 2000),
    st.booleans(),
)
def test_the_price_of_a_year_is_the_arr_whatever_the_term(price, starts_on, days, by_month):
    ends_on = date.fromordinal(starts_on.toordinal() + days)
    stated = {"monthly": price} if by_month else {"annual": price}
    found = of(starts_on=starts_on, ends_on=ends_on, **stated)
    assert arr_of(found, starts_on=starts_on).arr_minor == price * (12 if by_month else 1)


def test_arr_of_the_file_is_compared_beyond_rounding():
    assert not disagrees(120_000_00, 120_000_99)
    assert not disagrees(120_000_00, 120_500_00)
    assert disagrees(120_000_00, 121_000_00)
    assert disagrees(0, 500_00)
