"""Periods of the calendar."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc.moves import day_of_number
from gengyun.revenue.calc.spans import GRAINS, ends, first_of, spans, stepped

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("grain", "first", "last", "keys"),
    [
        ("month", date(2025, 11, 20), date(2026, 2, 3), ["2025-11", "2025-12", "2026-01", "2026-02"]),
        ("quarter", date(2025, 11, 20), date(2026, 4, 1), ["2025-Q4", "2026-Q1", "2026-Q2"]),
        ("year", date(2024, 5, 1), date(2026, 1, 1), ["2024", "2025", "2026"]),
    ],
)  # fmt: skip
def test_periods_have_the_names_people_use(grain, first, last, keys):
    assert [one.key for one in spans(grain, first, last)] == keys


def test_the_last_period_says_that_it_goes_on():
    done, running = spans("month", date(2026, 1, 1), date(2026, 2, 27))
    assert (done.end, done.is_open) == (date(2026, 1, 31), False)
    assert (running.end, running.is_open) == (date(2026, 2, 27), True)
    assert not spans("month", date(2026, 2, 1), date(2026, 2, 28))[-1].is_open


@given(st.sampled_from(GRAINS), DAYS, st.integers(0, 4000))
def test_periods_follow_each_other_without_gap_or_overlap(grain, first, length):
    last = first + timedelta(days=length)
    found = spans(grain, first, last)
    assert found[0].start == first_of(grain, first)
    assert found[-1].end == last
    for one, following in itertools.pairwise(found):
        assert following.start == one.end + timedelta(days=1)
        assert following.start == stepped(grain, one.start, 1)
        assert not one.is_open
    boundaries = [day_of_number(number) for number in ends(found)]
    assert boundaries == [found[0].start - timedelta(days=1), *(one.end for one in found)]
