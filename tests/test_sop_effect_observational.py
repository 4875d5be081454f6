"""Customers worked on beside customers who looked alike: what it can say, and that it is no proof."""

import numpy as np

from gengyun.sop.calc.observational import LEAST, compared, tenths_of

WEEKS = np.array([-8, -4, 0, 4, 8])


def world(rng, *, effect=0.0, count=200, drift=0.0):
    """Levels that fall with the churn probability; those worked on change by `effect` after."""
    churn = rng.uniform(0, 1, count)
    worked_on = rng.random(count) < churn  # the worse, the likelier
    base = 80 - 40 * churn
    levels = base[:, None] + rng.normal(0, 3, (count, len(WEEKS))) - 6 * churn[:, None] * WEEKS / 8
    levels += effect * worked_on[:, None] * np.clip(WEEKS, 0, None) / 8
    levels += drift * worked_on[:, None] * WEEKS / 8
    return levels, churn, worked_on


def test_it_finds_a_change_and_covers_it():
    inside = 0
    for seed in range(200):
        levels, churn, worked_on = world(np.random.default_rng(seed), effect=5.0)
        found = compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on)
        inside += found.change.low <= 5.0 <= found.change.high
    # matching by tenths leaves a little of the difference within a tenth
    assert 170 <= inside <= 199


def test_the_mean_alone_would_blame_the_sop():
    """The worse fall more: without matching the change of those worked on looks like harm."""
    rng = np.random.default_rng(1)
    levels, churn, worked_on = world(rng, count=4_000)
    change = levels[:, -1] - levels[:, 2]
    raw = change[worked_on].mean() - change[~worked_on].mean()
    found = compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on)
    assert raw < -1.5
    assert abs(found.change.value) < 0.5


def test_groups_that_did_not_go_alike_before_are_told():
    alike = [
        compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on).went_alike
        for levels, churn, worked_on in (world(np.random.default_rng(k)) for k in range(60))
    ]
    assert np.mean(alike) > 0.85
    levels, churn, worked_on = world(np.random.default_rng(7), drift=8.0)
    assert compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on).went_alike is False


def test_unknown_probabilities_are_matched_among_themselves():
    levels, churn, worked_on = world(np.random.default_rng(3), effect=5.0, count=400)
    churn[:200] = np.nan
    found = compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on)
    assert found.worked_on > worked_on[200:].sum()
    assert set(tenths_of(churn, worked_on)[:200]) == {-1}


def test_too_few_or_without_a_level_is_nothing():
    levels, churn, worked_on = world(np.random.default_rng(3), count=2 * LEAST - 2)
    assert compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on) is None
    levels, churn, worked_on = world(np.random.default_rng(3))
    levels[:, -1] = np.nan
    assert compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on) is None
    nobody = np.zeros(len(churn), np.bool_)
    levels, churn, _ = world(np.random.default_rng(3))
    assert compared(levels, weeks=WEEKS, churn=churn, worked_on=nobody) is None


def test_the_trend_is_that_of_the_matched():
    levels, churn, worked_on = world(np.random.default_rng(5), effect=6.0, count=2_000)
    found = compared(levels, weeks=WEEKS, churn=churn, worked_on=worked_on)
    trend = {week: mine - theirs for week, mine, theirs in found.trend}
    assert abs(trend[-8]) < 1
    assert abs(trend[0]) < 1
    assert abs(trend[8] - 6) < 1
