"""Drivers: reasons add up to the probability, counterfactuals touch only what a person can change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.churn.calc import drivers
from gengyun.churn.calc.features import FEATURES

KEYS = [feature.key for feature in FEATURES]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0, 2))
def test_points_add_up_to_what_the_inputs_explain(seed, spread):
    rng = np.random.default_rng(seed)
    shares, base = rng.normal(0, spread, (5, 7)), rng.normal(-1, 1, 5)
    logit = base + shares.sum(axis=1)
    found = drivers.points(logit, shares)
    assert found.sum(axis=1) == pytest.approx(drivers.expit(logit) - drivers.expit(base))
    assert ((found > 0) == (shares > 0))[np.abs(shares) > 1e-6].all()


def test_features_that_say_one_thing_are_one_reason():
    keys = ["util_28", "nth", "util_prev90", "util_trend"]
    names, place = drivers.reasons_of(keys)
    assert names == ("use_level", "history", "use_trend")
    sums = drivers.by_reason(np.array([[1.0, 2.0, 3.0, 4.0]]), place, len(names))
    assert sums.tolist() == [[4.0, 2.0, 4.0]]


def test_at_most_five_drivers_strongest_first_without_trifles():
    rng = np.random.default_rng(1)
    contributions = rng.normal(0, 0.5, (3, len(KEYS)))
    contributions[2] = 1e-5  # nothing speaks for or against
    x = np.ones((3, len(KEYS)))
    x[:, 0] = np.nan
    logit = -1 + contributions.sum(axis=1)
    found = drivers.drivers(KEYS, x, logit, contributions)
    assert [len(row) for row in found] == [5, 5, 0]
    for row in found[:2]:
        sizes = [abs(driver["points"]) for driver in row]
        assert sizes == sorted(sizes, reverse=True)
        assert all(driver["feature"] in KEYS for driver in row)
        assert all("util_28" not in driver["fact"] for driver in row)  # unknown is no fact


def test_every_reason_names_features_that_there_are():
    told = {key for keys in drivers.REASONS.values() for key in keys}
    assert told <= set(KEYS)


def test_changes_touch_only_actionable_inputs_and_their_trends():
    actionable = {feature.key for feature in FEATURES if feature.actionable}
    for change in drivers.CHANGES:
        assert change.when in actionable
        assert set(change.to) <= set(KEYS)


def test_a_change_is_told_only_where_it_improves_and_the_input_is_known():
    keys = ["util_28", "util_prev90", "util_trend", "nth"]
    x = np.array(
        [
            [0.2, 0.5, -0.9, 1],  # fell
            [0.6, 0.5, 0.2, 1],  # rose
            [np.nan, 0.5, np.nan, 1],  # unknown
            [0.2, np.nan, np.nan, 1],  # nobody knows what it was before
        ]
    )
    back = drivers.CHANGES[0]
    after, rows = drivers.changed(keys, x, back)
    assert rows.tolist() == [0]
    assert after[0].tolist() == [0.5, 0.5, 0.0, 1.0]
    nothing, none = drivers.changed(["nth"], x[:, 3:], back)
    assert (len(nothing), len(none)) == (0, 0)


def test_inputs_without_their_raw_numbers_are_told_as_counts_and_days_again():
    from gengyun.churn.calc.evidence import scaled_back

    keys = ["active_weeks_12", "events_year", "not_solved_90", "util_28"]
    x = np.array([[1.0, np.log1p(8000), np.log1p(2), 0.4], [0.25, np.nan, 0.0, 0.1]])
    found = scaled_back(keys, x)
    assert set(found) == set(keys[:3])
    assert found["active_weeks_12"].tolist() == [12, 3]
    assert found["events_year"][0] == 8000
    assert np.isnan(found["events_year"][1])
    assert found["not_solved_90"].tolist() == [2, 0]
    told = drivers.drivers(keys, x, np.zeros(2), np.tile([0.5, 1.0, -0.5, 0.2], (2, 1)), found)
    facts = {one["reason"]: one["fact"] for one in told[0]}
    assert facts["events_year"] == {"events_year": 8000}  # not 9 times, its logarithm
    assert facts["use_rhythm"] == {"active_weeks_12": 12}
