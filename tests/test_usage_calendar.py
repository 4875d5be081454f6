"""The learned calendar: weekends, holidays and 调休 from the table, the rest from use; outages."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.kernel.calc.workdays import HOLIDAY, MAKE_UP_DAY, WEEKEND, WORKDAY, workdays
from gengyun.usage.calc.calendar import SETTLED, WINDOW, learn

START = date(2025, 9, 1)  # a Monday


def steady(customers=40, days=112, start=START, rate=20.0, seed=1):
    """Use that follows the published table, with chance."""
    rng = np.random.default_rng(seed)
    rates = rate * rng.lognormal(0, 0.5, customers)
    return rng.poisson(rates[:, None] * workdays(start, days).base)


def test_the_table_knows_weekends_holidays_and_make_up_days():
    found = workdays(date(2025, 9, 26), 17)  # the National Day week of 2025 with its 调休
    by_day = dict(
        zip((date(2025, 9, 26) + timedelta(days=k) for k in range(17)), found.base, strict=True)
    )
    assert by_day[date(2025, 9, 26)] == WORKDAY
    assert by_day[date(2025, 9, 28)] == MAKE_UP_DAY  # a Sunday at work
    assert by_day[date(2025, 10, 1)] == HOLIDAY
    assert by_day[date(2025, 10, 11)] == MAKE_UP_DAY  # a Saturday at work
    assert by_day[date(2025, 10, 12)] == WEEKEND
    assert found.unannounced_from is None


def test_a_year_that_is_not_announced_falls_back_to_habit_and_says_so():
    found = workdays(date(2031, 1, 20), 8)
    assert found.unannounced_from == date(2031, 1, 20)
    assert found.base.tolist() == [WORKDAY, WORKDAY, *[HOLIDAY] * 6]  # Spring Festival: 23 January
    mixed = workdays(date(2026, 12, 30), 4)
    assert mixed.unannounced_from == date(2027, 1, 1)
    assert learn(np.zeros((0, 4)), start=date(2026, 12, 30)).unannounced_from == date(2027, 1, 1)


def test_the_table_agrees_with_the_published_schedules(shared):
    import json

    for year in (2019, 2022, 2025, 2026):
        told = json.loads((shared / f"data/cn_holidays/{year}.json").read_text(encoding="utf-8"))
        off = {date.fromisoformat(one["date"]): one["isOffDay"] for one in told["days"]}
        found = workdays(date(year, 1, 1), 365)
        for k, is_rest in enumerate(found.is_rest):
            day = date(year, 1, 1) + timedelta(days=k)
            assert bool(is_rest) == off.get(day, day.weekday() >= 5), day


def test_use_that_follows_the_table_teaches_nothing_new():
    found = learn(steady(), start=START)
    assert np.abs(found.learned[30:] - 1).max() < 0.35  # weekends have little use: chance
    working = found.base[30:] == 1
    assert np.abs(found.learned[30:][working] - 1).max() < 0.1
    assert found.outages == ()


def test_a_season_of_everybody_is_learned():
    use = steady().astype(float)
    use[:, 70:84] *= 0.5  # a fortnight of half use, of everybody
    found = learn(use, start=START)
    working = found.base[72:84] == 1
    assert found.learned[72:84][working] == pytest.approx(0.6, abs=0.15)  # shrunk a little
    assert found.outages == ()


def test_few_customers_teach_little():
    use = steady(customers=2)
    use[:, 90:] = 0
    found = learn(use, start=START)
    # two customers against the worth of eight: a fifth of the way
    assert found.learned[100:105].min() > 0.7


def test_one_large_customer_is_not_the_calendar_of_all():
    use = steady(rate=5).astype(float)
    use[0] *= 1_000
    use[0, 90:] = 0
    found = learn(use, start=START)
    working = found.base[90:104] == 1
    assert found.learned[90:104][working].min() > 0.85


def test_an_industry_has_a_season_of_its_own():
    use = steady(customers=60).astype(float)
    groups = np.array([0] * 20 + [1] * 39 + [-1])
    use[:20, 80:] *= 0.3
    found = learn(use, start=START, groups=groups)
    working = found.base[85:] == 1
    school, others, everybody = (found.by_group[row, 85:][working] for row in (1, 2, 0))
    assert school.mean() == pytest.approx(0.4, abs=0.1)
    assert others.mean() == pytest.approx(0.97, abs=0.06)
    assert others.mean() > everybody.mean() > school.mean()
    assert found.groups.tolist() == [1] * 20 + [2] * 39 + [0]


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(SETTLED, 111), seed=st.integers(0, 100))
def test_what_was_learned_does_not_change_when_later_days_come(cut, seed):
    use = steady(customers=12, seed=seed)
    whole, earlier = learn(use, start=START), learn(use[:, :cut], start=START)
    np.testing.assert_array_equal(whole.factor[:cut], earlier.factor)


def test_an_outage_is_one_incident_and_counts_for_nobody():
    use = steady()
    monday = WINDOW + 7 * 4  # a Monday
    use[:, monday : monday + 3] = 0
    found = learn(use, start=START)
    assert [(one.first, one.last) for one in found.outages] == [
        (START + timedelta(days=monday), START + timedelta(days=monday + 2))
    ]
    assert found.outages[0].ratio == 0
    assert found.outages[0].customers == 40
    assert found.factor[monday : monday + 3].tolist() == [0, 0, 0]
    # what is known of the days after is what it would have been without
    np.testing.assert_allclose(
        found.learned[monday + 3 :], learn(steady(), start=START).learned[monday + 3 :], atol=0.08
    )


def test_an_outage_over_a_weekend_is_one():
    use = steady()
    friday = WINDOW + 4
    use[:, friday : friday + 4] = 0  # Friday to Monday
    (outage,) = learn(use, start=START).outages
    assert (outage.first, outage.last) == (
        START + timedelta(days=friday),
        START + timedelta(days=friday + 3),
    )


def test_a_holiday_is_no_outage_and_half_of_the_customers_are_none():
    use = steady(start=date(2025, 8, 1), days=75)
    national_day = (date(2025, 10, 1) - date(2025, 8, 1)).days
    use[:, national_day : national_day + 8] = 0
    assert learn(use, start=date(2025, 8, 1)).outages == ()
    half = steady()
    half[:20, 80:84] = 0
    assert learn(half, start=START).outages == ()


def test_few_customers_cannot_show_an_outage():
    use = steady(customers=3)
    use[:, 80:83] = 0
    assert learn(use, start=START).outages == ()


def test_without_customers_or_days_the_table_is_the_calendar():
    found = learn(np.zeros((0, 10)), start=START)
    assert found.factor.tolist() == workdays(START, 10).base.tolist()
    assert learn(np.zeros((3, 0)), start=START).factor.shape == (0,)
