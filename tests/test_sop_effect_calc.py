"""The formulas of the measured effect, against published figures and slower ways to compute them."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.sop.calc.cuped import difference
from gengyun.sop.calc.effect import (
    Counted,
    Interval,
    chances,
    money,
    newcombe,
    normal_chances,
    normal_interval,
    share_variance,
    wilson,
)
from gengyun.sop.calc.power import (
    LONGEST,
    Plan,
    concludes,
    detectable,
    fixed_power,
    needed,
    power,
    spread_of_share,
)
from gengyun.sop.calc.sequential import always_valid, always_valid_p, multiplier

# Newcombe 1998, Statistics in Medicine 17, table II, method 10
PUBLISHED = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0),
    ((10, 10), (0, 10), 0.6075, 1.0),
]


@pytest.mark.parametrize("treat,holdout,low,high", PUBLISHED)
def test_newcombe_gives_the_published_intervals(treat, holdout, low, high):
    found = newcombe(Counted(*treat), Counted(*holdout))
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_newcombe_holds_its_value_and_turns_with_the_arms(a, n, b, m):
    treat, holdout = Counted(min(a, n), n), Counted(min(b, m), m)
    found = newcombe(treat, holdout)
    assert -1 <= found.low <= found.value <= found.high <= 1
    turned = newcombe(holdout, treat).turned()
    assert (turned.low, turned.high) == (pytest.approx(found.low), pytest.approx(found.high))


def test_an_empty_arm_has_no_difference():
    assert newcombe(Counted(0, 0), Counted(3, 9)) is None
    assert chances(Counted(3, 9), Counted(0, 0)) is None
    assert Counted(0, 0).share is None


def test_wilson_covers_what_it_says():
    """Exact: the binomial chance that the interval holds the truth, mean over truths."""
    n, truths = 30, np.linspace(0.05, 0.95, 91)
    held = []
    for p in truths:
        weight = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        inside = [low <= p <= high for low, high in (wilson(Counted(k, n)) for k in range(n + 1))]
        held.append(sum(w for w, is_in in zip(weight, inside, strict=True) if is_in))
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)


def slow_better(treat: Counted, holdout: Counted) -> float:
    """P(p > q) for flat priors, by the finite sum over beta functions."""

    def log_beta(a, b):
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    a, b = treat.hits + 1, treat.n - treat.hits + 1
    c, d = holdout.hits + 1, holdout.n - holdout.hits + 1
    terms = (
        math.exp(log_beta(c + i, d + b) - math.log(b + i) - log_beta(1 + i, b) - log_beta(c, d))
        for i in range(a)
    )
    return sum(terms)


@pytest.mark.parametrize(
    "treat,holdout",
    [((19, 23), (3, 4)), ((0, 10), (0, 10)), ((10, 10), (0, 10)), ((410, 800), (380, 800))],
)
def test_the_posterior_is_that_of_the_exact_sum(treat, holdout):
    found = chances(Counted(*treat), Counted(*holdout), rope=0.0)
    assert found.better == pytest.approx(slow_better(Counted(*treat), Counted(*holdout)), abs=2e-4)
    assert found.better + found.same + found.worse == pytest.approx(1)


def test_the_posterior_at_a_million_and_where_less_is_better():
    many = chances(Counted(305_000, 1_000_000), Counted(300_000, 1_000_000), rope=0.001)
    assert many.better > 0.999
    less = chances(Counted(2, 40), Counted(20, 40), higher_is_better=False)
    more = chances(Counted(2, 40), Counted(20, 40))
    assert (less.better, less.worse) == (more.worse, more.better)
    assert less.better > 0.99


def test_within_the_rope_is_the_same():
    found = chances(Counted(50_000, 100_000), Counted(50_010, 100_000), rope=0.01)
    assert found.same > 0.999
    drawn = np.random.default_rng(1)
    p, q = drawn.beta(20, 5, 400_000), drawn.beta(4, 2, 400_000)
    told = chances(Counted(19, 23), Counted(3, 4), rope=0.05)
    assert told.better == pytest.approx(np.mean(p - q > 0.05), abs=0.003)
    assert told.worse == pytest.approx(np.mean(p - q < -0.05), abs=0.003)


def test_a_mean_has_the_same_three_chances():
    found = normal_chances(1.0, 1.0, rope=0.5, higher_is_better=False)
    assert found.worse == pytest.approx(0.6915, abs=1e-4)
    assert found.better == pytest.approx(0.0668, abs=1e-4)
    assert normal_chances(0.2, 0.0, rope=0.5).same == 1


def test_money_is_the_difference_on_what_was_due_less_the_cost():
    found = money(
        Interval(0.05, -0.01, 0.11), amount_minor=10_000_000, cost_minor=5_000, worked_on=80
    )
    assert found.kept.value == pytest.approx(500_000)
    assert found.cost == 400_000
    assert found.net.value == pytest.approx(100_000)
    assert found.net.low == pytest.approx(-500_000)


# --- CUPED


def arms(count: int, *, share=0.5, effect=0.0, strength=1.0, seed=1):
    rng = np.random.default_rng(seed)
    treated = rng.random(count) >= share
    x = rng.normal(size=count)
    return strength * x + effect * treated + rng.normal(size=count), treated, x


def test_one_covariate_is_the_textbook_formula():
    """Y − θ (X − mean X) with θ from the spread within the arms."""
    y, treated, x = arms(400, effect=0.3)
    found = difference(y, treated, x[:, None])
    within_x, within_y = x.copy(), y.copy()
    for arm in (treated, ~treated):
        within_x[arm] -= x[arm].mean()
        within_y[arm] -= y[arm].mean()
    theta = (within_x @ within_y) / (within_x @ within_x)
    left = y - theta * (x - x.mean())
    assert found.value == pytest.approx(left[treated].mean() - left[~treated].mean())
    assert found.plain == pytest.approx(y[treated].mean() - y[~treated].mean())
    # half of the variance was known before
    assert found.reduction == pytest.approx(0.5, abs=0.08)


def test_the_said_variance_is_the_one_that_is():
    found = [difference(*_with_column(arms(80, share=0.25, seed=k))) for k in range(1_500)]
    spread = np.var([one.value for one in found])
    assert np.mean([one.variance for one in found]) == pytest.approx(spread, rel=0.12)
    covered = np.mean(
        [
            normal_interval(o.value, o.variance).low <= 0 <= o.value + 1.96 * o.variance**0.5
            for o in found
        ]
    )
    assert 0.93 < covered < 0.975


def _with_column(made):
    y, treated, x = made
    return y, treated, x[:, None]


def test_unknown_values_stand_apart_and_useless_columns_are_left_out():
    y, treated, x = arms(300)
    holes = x.copy()
    holes[::7] = np.nan
    odd = np.column_stack([np.full(300, np.nan), np.ones(300), holes, holes * 2 + 1])
    found = difference(y, treated, odd)
    assert found.used == 2  # the values and the flag
    assert 0.3 < found.reduction < 0.6
    assert difference(y, treated, odd[:, :2]).used == 0


def test_a_column_that_is_the_arm_does_not_take_the_effect_away():
    y, treated, _ = arms(100, effect=2.0)
    found = difference(y, treated, np.column_stack([treated, 1 - treated]).astype(float))
    assert (found.used, found.value) == (0, found.plain)


def test_too_few_are_not_adjusted_and_one_is_no_arm():
    y, treated, x = arms(12)
    assert difference(y, treated, x[:, None]).used == 0
    assert difference(np.ones(3), np.array([True, True, False])) is None


# --- looked at every day


def test_the_interval_leaves_zero_out_exactly_where_its_p_value_says_so():
    rng = np.random.default_rng(3)
    for value, variance, worth in rng.uniform(0.001, 0.5, (500, 3)):
        found = always_valid(value, variance, worth=worth)
        assert found.excludes_zero == (always_valid_p(value, variance, worth=worth) < 0.05)
    assert always_valid_p(0.0, 0.01, worth=0.1) == 1.0
    assert always_valid_p(90.0, 0.01, worth=0.1) == 0.0


def test_it_is_narrowest_about_where_the_effect_worth_seeing_has_a_fair_chance():
    ratios = np.linspace(1, 40, 400)
    sizes = [multiplier(1 / ratio, worth=1.0) for ratio in ratios]
    assert min(sizes) == pytest.approx(3.03, abs=0.01)
    assert ratios[int(np.argmin(sizes))] == pytest.approx(8.23, abs=0.2)


def looked_at(effect: float, *, trials=400, count=600, first=40, seed=5):
    """Trials that end with an effect, by the daily and by an ordinary interval."""
    rng = np.random.default_rng(seed)
    seen = np.zeros(2)
    for _ in range(trials):
        y = np.cumsum(rng.normal(effect, 1, count))[first - 1 :]
        n = np.arange(first, count + 1)
        value, variance = y / n, 1 / n
        sizes = np.array([multiplier(v, worth=0.15) for v in variance])
        seen += (
            (np.abs(value) > sizes * np.sqrt(variance)).any(),
            (np.abs(value) > 1.96 * np.sqrt(variance)).any(),
        )
    return seen / trials


def test_daily_looks_find_nothing_where_there_is_nothing():
    by_day, by_ordinary = looked_at(0.0)
    assert by_day <= 0.05
    assert by_ordinary > 0.25  # why the other interval is needed


def test_daily_looks_find_what_is_there():
    by_day, _ = looked_at(0.2, trials=100)
    assert by_day > 0.9


# --- what can be seen, and when

PLAN = Plan(share=0.2, spread=spread_of_share(0.3), worth=0.10)


def test_power_is_that_of_the_usual_formula_at_one_look():
    """science.md 7: n = 800 in halves, one-sided 5 %, 7.45 points: .75 plain, .81 with CUPED."""
    half = Plan(share=0.5, spread=spread_of_share(0.29), worth=0.1)
    assert fixed_power(half, treat=400, holdout=400, effect=0.0745, level=0.9) == pytest.approx(
        0.75, abs=0.02
    )
    known = Plan(share=0.5, spread=spread_of_share(0.29), worth=0.1, explained=0.19)
    assert fixed_power(known, treat=400, holdout=400, effect=0.0745, level=0.9) == pytest.approx(
        0.82, abs=0.02
    )


def test_needed_is_the_first_count_with_that_power():
    count = needed(PLAN)
    assert power(PLAN, treat=count * 0.8, holdout=count * 0.2) >= 0.8
    assert power(PLAN, treat=(count - 1) * 0.8, holdout=(count - 1) * 0.2) < 0.8
    assert detectable(PLAN, treat=count * 0.8, holdout=count * 0.2) == pytest.approx(0.1, abs=0.001)
    assert needed(Plan(share=0.5, spread=PLAN.spread, worth=0.1)) < count
    assert needed(Plan(0.2, PLAN.spread, 0.1, explained=0.2)) < count


def test_few_show_nothing():
    assert power(PLAN, treat=400, holdout=19) == 0.0
    assert detectable(PLAN, treat=400, holdout=19) is None
    assert needed(Plan(share=0.0, spread=0.4, worth=0.1)) is None


def test_the_promised_power_is_the_one_that_is():
    """Simulated: trials of `needed` outcomes that leave zero out at the last look or before."""
    count, rng, seen = needed(PLAN), np.random.default_rng(2), 0
    treated = np.arange(count) % 5 > 0
    for _ in range(400):
        y = (rng.random(count) < np.where(treated, 0.2, 0.3)).astype(float)
        found = difference(y, treated)
        seen += always_valid(found.value, found.variance, worth=0.10).high < 0
    # a little more: the spread of a share is smaller where the SOP works
    assert 0.78 < seen / 400 < 0.93


TODAY = date(2026, 11, 24)


def test_when_it_could_conclude():
    count = needed(PLAN)
    found = concludes(PLAN, today=TODAY, known=count, waiting=0, per_day=0, wait_days=90)
    assert (found.missing, found.on) == (0, TODAY)
    waiting = concludes(PLAN, today=TODAY, known=count - 100, waiting=200, per_day=0, wait_days=90)
    assert waiting.on == TODAY + timedelta(days=45)
    slow = concludes(PLAN, today=TODAY, known=count - 100, waiting=0, per_day=2, wait_days=90)
    assert slow.on == TODAY + timedelta(days=50 + 90)
    stuck = concludes(PLAN, today=TODAY, known=0, waiting=0, per_day=0, wait_days=90)
    assert (stuck.missing, stuck.on) == (count, None)
    never = concludes(
        PLAN, today=TODAY, known=0, waiting=0, per_day=count / LONGEST.days / 2, wait_days=1
    )
    assert never.on is None
    no_one_held = Plan(share=0.0, spread=0.4, worth=0.1)
    assert concludes(no_one_held, today=TODAY, known=9, waiting=0, per_day=1, wait_days=1) is None


def test_shares_at_the_edge_keep_a_spread():
    assert spread_of_share(0.0) == spread_of_share(0.05) > 0
    assert share_variance(Counted(0, 10)) > 0
