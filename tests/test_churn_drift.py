"""Drift of the churn model: inputs that moved, outcomes that came otherwise; the guard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.churn.calc import drift, guard


def columns(rng, rows, shift=0.0):
    return np.column_stack([rng.normal(shift, 1, rows), (rng.random(rows) < 0.2).astype(float)])


def test_same_world_is_no_drift():
    rng = np.random.default_rng(1)
    kept = drift.reference(columns(rng, 2_000), ["a", "flag"])
    found = drift.stability(kept, columns(rng, 500), ["a", "flag"])
    assert not any(moved.is_over() for moved in found.values())


def test_moved_inputs_and_new_gaps_are_drift():
    rng = np.random.default_rng(2)
    kept = drift.reference(columns(rng, 2_000), ["a", "flag"])
    assert drift.stability(kept, columns(rng, 500, 1.0), ["a", "flag"])["a"].is_over()
    gone = columns(rng, 500)
    gone[:200, 0] = np.nan  # two fifths are unknown all at once
    found = drift.stability(kept, gone, ["a", "flag"])
    assert found["a"].is_over()
    assert not found["flag"].is_over()


def test_few_rows_alone_are_no_drift():
    """With 30 rows PSI passes .25 by chance: that part is told apart."""
    rng = np.random.default_rng(3)
    kept = drift.reference(columns(rng, 2_000), ["a", "flag"])
    over = chance = 0
    for _ in range(100):
        moved = drift.stability(kept, columns(rng, 30), ["a", "flag"])["a"]
        over += moved.is_over()
        chance += moved.psi > drift.PSI_WARNS
    assert over < 5 < chance


def test_psi_by_hand():
    """Half of the rows fell below and above the median; now all lie below."""
    kept = {"a": {"edges": [0.0], "shares": [0.5, 0.5], "rows": 10**9, "unknown": 0.0}}
    moved = drift.stability(kept, np.full((10**4, 1), -1.0), ["a"])["a"]
    a = np.array([10**4 + 0.5, 0.5]) / (10**4 + 1)
    e = np.array([0.5, 0.5])
    assert moved.psi == pytest.approx(((a - e) * np.log(a / e)).sum())


def test_more_that_is_known_than_before_is_no_drift():
    rng = np.random.default_rng(10)
    early = columns(rng, 2_000)
    early[:1_500, 0] = np.nan  # the source was connected only lately
    kept = drift.reference(early, ["a", "flag"])
    found = drift.stability(kept, columns(rng, 500), ["a", "flag"])["a"]
    assert found.unknown_grew < -0.5
    assert not found.is_over()


def test_cusum_is_about_standard_normal_while_the_probabilities_hold():
    rng = np.random.default_rng(4)
    p = rng.uniform(0.05, 0.6, 200)
    values = [drift.cusum((rng.random(200) < p).astype(float), p) for _ in range(2_000)]
    assert abs(np.mean(values)) < 0.1
    assert abs(np.std(values) - 1) < 0.1
    assert drift.cusum(np.zeros(0), np.zeros(0)) is None


@pytest.mark.parametrize(
    ("value", "action"),
    [(None, "none"), (2.5, "none"), (-2.6, "recalibrate"), (3.5, "recalibrate"), (3.6, "retrain")],
)
def test_action_of_a_cusum(value, action):
    assert drift.action_of(value) == action


@settings(max_examples=50, deadline=None)
@given(shift=st.floats(-1.5, 1.5), seed=st.integers(0, 1_000))
def test_intercept_shift_solves_its_equation(shift, seed):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-(logit + shift)))).astype(float)
    found = drift.intercept_shift(y, logit)
    p = 1 / (1 + np.exp(-(logit + found)))
    assert (y - p).sum() == pytest.approx(found / drift.SHIFT_SPREAD**2, abs=1e-6)


def test_intercept_shift_of_few_outcomes_is_shrunk():
    shift = drift.intercept_shift(np.ones(3), np.zeros(3))
    assert 0 < shift < 0.5


# --- the guard ----------------------------------------------------------------------------------


def renewals(rng, rows=400):
    x = rng.normal(0, 1, rows)
    y = (rng.random(rows) < 1 / (1 + np.exp(-(1.5 * x - 1)))).astype(float)
    return x, y, np.arange(rows), np.zeros(rows, dtype=np.int64)


def test_a_clearly_better_challenger_takes_over():
    x, y, account, tier = renewals(np.random.default_rng(5))
    good, flat = 1 / (1 + np.exp(-(1.5 * x - 1))), np.full(len(y), y.mean())
    found = guard.compare(y, champion=flat, challenger=good, account=account, tier=tier)
    assert (found.takes_over, found.reason) == (True, "better")
    assert found.gain == pytest.approx(found.champion_loss - found.challenger_loss)
    back = guard.compare(y, champion=good, challenger=flat, account=account, tier=tier)
    assert (back.takes_over, back.reason) == (False, "not_better")


def test_the_same_model_never_takes_over_itself():
    x, y, account, tier = renewals(np.random.default_rng(6))
    p = 1 / (1 + np.exp(-x))
    found = guard.compare(y, champion=p, challenger=p, account=account, tier=tier)
    assert (found.reason, found.gain) == ("not_better", 0.0)


def test_few_outcomes_show_nothing():
    x, y, account, tier = renewals(np.random.default_rng(7), rows=19)
    good, flat = 1 / (1 + np.exp(-(1.5 * x - 1))), np.full(len(y), 0.5)
    found = guard.compare(y, champion=flat, challenger=good, account=account, tier=tier)
    assert (found.takes_over, found.reason) == (False, "too_few")


def test_rows_of_one_account_count_once_for_the_error():
    x, y, account, tier = renewals(np.random.default_rng(8))
    good, flat = 1 / (1 + np.exp(-(1.5 * x - 1))), np.full(len(y), y.mean())
    once = guard.compare(y, champion=flat, challenger=good, account=account, tier=tier)
    thrice = guard.compare(
        np.tile(y, 3),
        champion=np.tile(flat, 3),
        challenger=np.tile(good, 3),
        account=np.tile(account, 3),
        tier=np.tile(tier, 3),
    )
    assert thrice.error == pytest.approx(once.error)


def test_a_challenger_that_is_off_in_a_tier_waits():
    rng = np.random.default_rng(9)
    x, y, account, tier = renewals(rng, rows=600)
    tier[:100] = 1
    good, flat = 1 / (1 + np.exp(-(1.5 * x - 1))), np.full(len(y), y.mean())
    flat[:100] = y[:100].mean()
    good[:100] = np.clip(good[:100] + 0.12, 0, 1)  # 12 points too high there
    found = guard.compare(y, champion=flat, challenger=good, account=account, tier=tier)
    assert found.gain > found.error
    assert (found.takes_over, found.reason) == (False, "tier_off")
    assert found.tiers["1"]["further"] > guard.TIER_POINTS


def test_origins_lie_between():
    days = guard.origins(np.datetime64("2026-01-01"), np.datetime64("2026-04-11"), 4)
    assert [str(day) for day in days] == ["2026-01-21", "2026-02-10", "2026-03-02", "2026-03-22"]
    assert not len(guard.origins(np.datetime64("2026-01-01"), np.datetime64("2026-01-01"), 4))
