"""What changed from a line to its successor: seats, price, and what only rounding made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc.movements import Sold, change


def steps(old, old_seats, new, new_seats, currency="CNY"):
    before, after = Sold(1, old, currency, 1, old_seats), Sold(2, new, currency, 1, new_seats)
    return [(step.kind, step.arr_minor, step.seats_delta) for step in change(before, after)]


@pytest.mark.parametrize(
    "old, old_seats, new, new_seats",
    [
        (10_000_00, 7, 15_714_00, 11),  # a whole yuan: the price of a seat would give 15,714.29
        (15_714_00, 11, 10_000_00, 7),
        (15_714_00, 11, 20_000_00, 14),  # both were rounded
        (92_500_00, 39, 113_800_00, 48),  # hundreds of yuan: 113,846.15
        (100_00, 3, 133_33, 4),  # the fen
    ],
)
def test_rounding_of_a_total_is_no_change_of_price(old, old_seats, new, new_seats):
    kind = "upsell" if new > old else "downsell"
    assert steps(old, old_seats, new, new_seats) == [(kind, new - old, new_seats - old_seats)]


@pytest.mark.parametrize(
    "old, old_seats, new, new_seats, price",
    [
        (100_000_00, 10, 109_950_00, 11, -50_00),  # tens of yuan: rounding is 5 of them
        (1_000_00, 7, 1_600_00, 11, 28_57),  # hundreds would explain it, a thousandth does not
        (10_00, 1, 19_60, 2, -40),  # 2 % of a small amount
        (10_000_000_00, 1_000, 10_004_995_00, 1_001, -5_005_00),  # half a thousandth, not rounded
    ],
)
def test_what_rounding_does_not_explain_is_price(old, old_seats, new, new_seats, price):
    (_, volume, _), last = steps(old, old_seats, new, new_seats)
    assert last == ("price_change", price, None)
    assert volume + price == new - old


def test_with_the_same_seats_every_difference_is_price():
    assert steps(15_714_29, 11, 15_714_00, 11) == [("price_change", -29, 0)]


def test_half_a_unit_is_that_of_the_currency():
    assert steps(10_000, 7, 15_714, 11, "JPY") == [("upsell", 5_714, 4)]
    assert steps(10_000, 7, 15_712, 11, "JPY")[1] == ("price_change", -2, None)
    assert steps(10_000_000, 7, 15_714_000, 11, "KWD") == [("upsell", 5_714_000, 4)]


seats = st.integers(1, 500)


@given(st.integers(1_000_00, 10_000_00), seats, seats, st.sampled_from([1, 100, 10_000]))
def test_one_price_of_a_seat_gives_no_change_of_price(price, old_seats, new_seats, step):
    old, new = (round(price * count / step) * step for count in (old_seats, new_seats))
    found = steps(old, old_seats, new, new_seats)
    assert sum(arr for _, arr, _ in found) == new - old
    # a step of more than a thousandth is told as price, see the rule
    if step * (1 + new_seats / old_seats) * 500 <= new:
        assert "price_change" not in {kind for kind, _, _ in found}


@given(st.integers(1_000_00, 10_000_00), seats, seats, st.sampled_from([-0.02, 0.004, 0.05]))
def test_a_real_change_of_price_is_told(price, old_seats, new_seats, raised):
    old, new = price * old_seats, round(price * new_seats * (1 + raised))
    found = steps(old, old_seats, new, new_seats)
    assert sum(arr for _, arr, _ in found) == new - old
    assert "price_change" in {kind for kind, _, _ in found}
