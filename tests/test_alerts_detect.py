"""The detectors over made-up use whose answer is known, and a slow oracle."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.alerts.calc.detect import DropRule, compare, dormant, slow_slide, usage_drop
from gengyun.kernel.calc.workdays import workdays

START = date(2025, 3, 3)
DAYS = 182
BASE = workdays(START, DAYS).base


def regular(customers=30, rate=10.0, seed=3, base=BASE):
    return np.random.default_rng(seed).poisson(rate * base, (customers, len(base)))


def test_nothing_happens_to_regular_customers():
    found = usage_drop(regular(200), BASE)
    assert not found.is_confirmed.any()
    assert found.is_known.all()
    assert found.ratio == pytest.approx(1, abs=0.35)


def test_half_use_for_three_weeks_is_a_drop():
    use = regular()
    use[0, -21:] = use[0, -21:] // 4
    found = usage_drop(use, BASE)
    assert np.nonzero(found.is_confirmed)[0].tolist() == [0]
    assert found.ratio[0] < 0.4
    assert found.expected[0] == pytest.approx(10 * BASE[-14:].sum(), rel=0.1)
    assert found.rate_now[0] < 0.4 * found.rate_before[0]
    assert not found.is_over[0]


def test_one_low_week_is_not_confirmed_but_a_strong_drop_is():
    rule = DropRule(z=-2.0, strong_z=-6.0)
    use = regular(2, rate=40)
    use[0, -7:] = use[0, -7:] // 8
    found = usage_drop(use, BASE, rule)
    assert found.is_low.tolist() == [True, False]
    assert found.is_confirmed.tolist() == [False, False]
    assert usage_drop(use, BASE, DropRule(z=-2.0, strong_z=-2.2)).is_confirmed.tolist() == [
        True,
        False,
    ]


def test_a_holiday_is_no_drop_when_the_calendar_knows_it():
    start = date(2025, 4, 14)
    base = workdays(start, DAYS).base  # ends on 12 October, after the National Day week
    use = np.random.default_rng(5).poisson(10 * base, (50, DAYS))
    assert not usage_drop(use, base).is_low.any()
    # without a calendar the same use looks like a drop of everybody
    assert (usage_drop(use, np.ones(DAYS)).ratio < 0.8).mean() > 0.9
    assert usage_drop(use, base).ratio.mean() == pytest.approx(1, abs=0.05)


def test_days_that_count_for_nobody_move_nothing():
    use = regular()
    use[:, -7:-4] = 0  # Monday to Wednesday
    factor = BASE.copy()
    factor[-7:-4] = 0
    assert usage_drop(use, BASE).ratio.mean() < 0.8
    found = usage_drop(use, factor)
    assert found.ratio == pytest.approx(1, abs=0.3)
    assert not found.is_low.any()


def test_too_little_history_or_use_is_unknown_or_silent():
    use = regular(3)
    use[0, :-50] = 0  # began 50 days ago: 36 days of baseline
    use[1] = 0
    use[2] = np.where(np.arange(DAYS) % 40 == 0, 1, 0)  # hardly any use is due
    use[2, -14:] = 0
    found = usage_drop(use, BASE)
    assert found.is_known.tolist() == [False, False, True]
    assert math.isnan(found.ratio[0])
    assert not found.is_low.any()
    assert usage_drop(use[:, -40:], BASE[-40:]).z.tolist() == pytest.approx(
        [math.nan] * 3, nan_ok=True
    )


def test_back_at_the_usual_is_over():
    use = regular(2, rate=30)
    use[1, -14:] = 0
    assert usage_drop(use, BASE).is_over.tolist() == [True, False]


def test_groups_are_judged_by_their_own_calendar():
    use = regular(2, rate=30).astype(float)
    use[1, -28:] *= 0.4  # its industry rests
    own = np.stack([BASE, np.where(np.arange(DAYS) >= DAYS - 28, BASE * 0.4, BASE)])
    assert usage_drop(use, BASE).is_low.tolist() == [False, True]
    groups = np.array([0, 1])
    assert usage_drop(use, own, groups=groups).is_low.tolist() == [False, False]
    assert not slow_slide(use, own, groups=groups).is_sliding.any()


def one_by_one(use, base):
    """Expected and ratio of one customer, without numpy's axes."""
    count = len(use)
    before = range(count - 98, count - 14)
    began = next((d for d in range(count) if use[d] > 0), None)
    if began is None or (count - 14) - max(began, count - 98) < 42:
        return None
    days = [d for d in before if d >= began]
    rate = sum(use[d] for d in days) / sum(base[d] for d in days)
    expected = rate * sum(base[d] for d in range(count - 14, count))
    return expected, sum(use[count - 14 :]) / expected if expected else None


@settings(max_examples=40, deadline=None)
@given(
    began=st.integers(0, 150),
    rate=st.floats(0.1, 20),
    drop=st.floats(0, 2),
    seed=st.integers(0, 1_000),
)
def test_expected_and_ratio_agree_with_a_slow_count(began, rate, drop, seed):
    use = np.random.default_rng(seed).poisson(rate * BASE)
    use[:began] = 0
    use[-14:] = np.round(use[-14:] * drop)
    found = compare(use[None, :], BASE)
    slow = one_by_one(use.tolist(), BASE.tolist())
    if slow is None:
        assert math.isnan(found.expected[0])
        return
    assert found.expected[0] == pytest.approx(slow[0])
    if slow[1] is not None:
        assert found.ratio[0] == pytest.approx(slow[1])
        assert math.copysign(1, found.z[0]) == (1 if slow[1] >= 1 else -1) or slow[1] == 1


def test_dormant_counts_working_days_only():
    use = regular(3, rate=5)
    use[0, -14:] = 0
    use[1, -21:] = 0
    found = dormant(use, BASE)
    assert found.effective_days[:2] == pytest.approx([BASE[-14:].sum(), BASE[-21:].sum()], abs=0.3)
    assert found.is_dormant.tolist() == [bool(BASE[-14:].sum() >= 10), True, False]
    assert found.last_active[1] < DAYS - 21
    assert found.effective_days[2] < 2


def test_dormant_needs_use_before_and_knows_those_who_never_used():
    use = np.zeros((3, DAYS), dtype=int)
    use[0, 10:25] = 3  # fifteen days
    use[1, 10:40] = 3
    found = dormant(use, BASE)
    assert found.is_dormant.tolist() == [False, True, False]
    assert math.isnan(found.effective_days[2])
    assert found.last_active.tolist() == [24, 39, -1]
    assert dormant(use, BASE, active_days_before=[10, 0, 0]).is_dormant.tolist() == [
        True,
        True,
        False,
    ]


def test_a_pause_as_long_as_usual_is_no_silence():
    use = np.zeros((1, DAYS), dtype=int)
    workday = np.nonzero(BASE == 1)[0]
    for first in range(0, 100, 16):  # five working days with use, eleven without
        use[0, workday[first : first + 5]] = 4
    quiet = workday[100] + 1 - 0
    use[0, quiet:] = 0
    seen = dormant(use, BASE)
    assert seen.longest_pause[0] == pytest.approx(11, abs=3)
    until = int(workday[np.searchsorted(workday, seen.last_active[0]) + 13])
    assert not dormant(use[:, :until], BASE[:until]).is_dormant[0]
    assert dormant(use[:, :until], BASE[:until], own_pause=0).is_dormant[0]
    assert seen.is_dormant[0] == (seen.effective_days[0] >= 1.5 * seen.longest_pause[0])


def test_a_slow_slide_adds_up_before_it_is_a_drop():
    use = regular(3, rate=20).astype(float)
    use[0] *= np.concatenate([np.ones(DAYS - 42), np.linspace(1, 0.55, 42)])
    slide = slow_slide(use, BASE)
    assert slide.is_sliding.tolist() == [True, False, False]
    assert slide.height[0] > 4 > slide.height[1:].max()
    assert slide.weeks[0] >= 3
    assert not usage_drop(use, BASE).is_confirmed[0]
    assert np.isnan(slow_slide(use[:, -60:], BASE[-60:]).height).all()


def test_a_hundred_thousand_customers_take_seconds():
    use = np.random.default_rng(1).poisson(2 * BASE, (100_000, DAYS)).astype(np.int32)
    import time

    started = time.process_time()
    usage_drop(use, BASE)
    dormant(use, BASE)
    assert time.process_time() - started < 15
