"""A day is a day in the company's time zone."""

from datetime import UTC, date, datetime

import pytest

from gengyun.kernel.days import day_of, start_of


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 16, 0, 0, tzinfo=UTC), date(2026, 3, 2)),  # midnight in Shanghai
    ],
)
def test_day_of_instant_turns_at_shanghai_midnight(instant, day):
    assert day_of(instant) == day


def test_start_of_day_is_the_first_instant_of_that_day():
    start = start_of(date(2026, 3, 2))
    assert start == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert day_of(start) == date(2026, 3, 2)
