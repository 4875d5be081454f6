"""Forecast accuracy: bias, error, hit rates by category."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc.accuracy import Outcome, accuracy, by_key, hit_rates, wilson


def row(due, forecast, actual, category="commit"):
    return Outcome(due, forecast, actual, category, actual > 0)


def test_too_hopeful_is_a_bias_above_zero():
    found = accuracy([row(100, 100, 0), row(100, 100, 100)])
    assert (found.count, found.judged) == (2, 2)
    assert found.bias == 0.5
    assert found.error == 0.5
    assert found.total_error == 1.0


def test_errors_that_cancel_out_stay_errors():
    found = accuracy([row(100, 100, 50), row(100, 50, 100)])
    assert found.bias == 0
    assert found.error == 0.5


def test_what_was_not_judged_is_counted_and_not_scored():
    found = accuracy([row(100, None, 100, "unjudged"), row(50, 50, 50)])
    assert (found.count, found.judged, found.due_minor) == (2, 1, 50)
    assert found.error == 0


def test_without_ground_there_is_no_number():
    empty = accuracy([])
    assert (empty.bias, empty.error, empty.total_error) == (None, None, None)
    assert accuracy([row(100, 40, 0)]).total_error is None


def test_hit_rates_by_category():
    found = hit_rates([row(10, 10, 10), row(10, 10, 0), row(10, 5, 10, "at_risk")])
    assert (found["commit"].count, found["commit"].renewed, found["commit"].rate) == (2, 1, 0.5)
    assert found["at_risk"].rate == 1.0


def test_wilson_interval_of_a_textbook_share():
    low, high = wilson(15, 20)  # Brown, Cai, DasGupta 2001: 0.531 to 0.888
    assert low == pytest.approx(0.531, abs=0.001)
    assert high == pytest.approx(0.888, abs=0.001)
    assert wilson(0, 0) is None


outcomes = st.builds(
    row,
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.sampled_from(["commit", "expected", "at_risk"]),
)


@given(st.lists(st.tuples(st.sampled_from("xyz"), outcomes)))
def test_groups_add_up_to_the_whole(rows):
    whole, parts = accuracy(one for _, one in rows), by_key(rows).values()
    for name in ("count", "judged", "due_minor", "forecast_minor", "actual_minor", "error_minor"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    if whole.error is not None:
        assert abs(whole.bias) <= whole.error + 1e-9
