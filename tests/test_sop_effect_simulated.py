"""The effect of an SOP whose truth is known (science.md 8, A10), on sizes that a test can pay for.

`gengyun bench sop-effect` measures the same on whole simulated companies with thousands of trials.
"""

import numpy as np
import pytest

from gengyun.churn.calc.ladder import plain_logistic
from gengyun.cli.bench import Report
from gengyun.cli.benches import sop_effect as bench
from gengyun.demo.simulator import sop_effect
from gengyun.demo.simulator.sop_effect import WORKS, Pool

TRIALS = 200


def expit(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Renewals whose risk a model tells in part; who looks bad is at risk."""
    rng = np.random.default_rng(11)
    count = 320
    risk, seen = rng.normal(0, 1, count), rng.normal(0, 0.5, count)
    return Pool(
        p_true=expit(-1.0 + 1.8 * risk),
        p=expit(-1.0 + 1.3 * (risk + seen)),
        tier=rng.integers(0, 3, count),
        day=np.sort(rng.integers(0, 120, count)),
        looks=-risk + rng.normal(0, 0.5, count),
        amount_minor=rng.integers(1, 9, count) * 100_000,
    )


@pytest.fixture(scope="module")
def played(pool):
    return {
        (works, share): sop_effect.play(pool, works=works, share=share, trials=TRIALS)
        for works in (0.0, WORKS)
        for share in (0.5, 0.2)
    }


def test_no_bias_and_the_intervals_hold_the_truth(played):
    for one in played.values():
        for found in (one.plain, one.exact):
            # a point, and three standard errors of so few trials
            assert abs(found.bias) < 0.01 + 3 * found.spread / TRIALS**0.5
            assert found.covered > 0.90
        # the plain one knows nothing of the strata: it may hold more than it says
        assert one.exact.covered < 0.995


def test_nothing_is_found_where_there_is_nothing(played):
    for share in (0.5, 0.2):
        assert played[0.0, share].exact.seen < 0.06 + 3 * (0.06 * 0.94 / TRIALS) ** 0.5
        assert played[WORKS, share].exact.seen > 2 * played[0.0, share].exact.seen


def test_what_was_known_before_makes_it_more_exact(pool):
    coin = sop_effect.play(pool, works=0.0, share=0.5, trials=TRIALS, choose=sop_effect.by_coin)
    assert (coin.exact.spread / coin.plain.spread) ** 2 < 0.9


def test_whom_csms_choose_tells_the_opposite(pool):
    found = sop_effect.play(pool, works=WORKS, share=0.5, trials=60, choose=sop_effect.by_csm)
    assert found.truth < -0.04
    assert found.truth + found.plain.bias > 0.05  # seems to do harm
    assert found.plain.covered < 0.3


def test_daily_looks(pool):
    nothing = sop_effect.watch(pool, works=0.0, share=0.5, trials=40)
    assert nothing.by_day <= 0.10
    assert nothing.by_ordinary > nothing.by_day
    much = sop_effect.watch(pool, works=-2.0, share=0.5, trials=10)
    assert much.by_day > 0.8
    assert much.after < 1


def test_assignment_of_the_simulation_is_even_in_every_stratum(pool):
    treated = sop_effect.by_hash(pool, 3, 0.2)
    for stratum in set(pool.stratum):
        mine = np.array([one == stratum for one in pool.stratum])
        assert abs((~treated[mine]).sum() - 0.2 * mine.sum()) < 3


def test_the_bench_says_each_figure_of_the_acceptance_list(pool):
    report = Report(as_json=False)
    bench.measure(report, pool, trials=12, watched=1)
    named = {figure.name: figure for figure in report.figures}
    for kind in ("plain", "exact"):
        for share in (50, 20):
            for name in ("none", "works"):
                label = f"sop_effect.{kind}.{share}.{name}"
                assert named[f"{label}.bias"].target == 1.0
                assert named[f"{label}.covers"].target == 92.0
                assert named[f"{label}.covers.most"].target == 98.0
            assert named[f"sop_effect.{kind}.{share}.none.false"].target == 6.0
    assert named["sop_effect.daily.20.none"].target == 5.0
    assert named["sop_effect.variance.50.coin_cuped"].target == 0.85
    assert named["sop_effect.naive.none.wrong"].target == 50.0


def test_a_pool_comes_from_a_simulated_company():
    made = sop_effect.make_pool([1], plain_logistic, accounts=150, learned_from=75)
    assert len(made) > 20
    assert (np.diff(made.day) >= 0).all()
    assert np.corrcoef(made.p_true, made.looks)[0, 1] < -0.2
    assert ((made.p > 0) & (made.p < 1)).all()
