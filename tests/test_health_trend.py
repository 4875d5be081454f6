"""The weekly trend arrow: only when the slope is clear."""

from datetime import date, timedelta

import pytest

from gengyun.health.calc.trend import theil_sen, trend

DAY = date(2026, 3, 2)


def weekly(*scores):
    """Oldest first; the last belongs to DAY."""
    n = len(scores)
    return [(DAY - timedelta(weeks=n - 1 - i), s) for i, s in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "arrow"),
    [
        ([60, 61, 62, 63, 64, 65, 66, 67], "up"),
        ([67, 66, 65, 64, 63, 62, 61, 60], "down"),
        ([60, 60.2, 60.4, 60.6, 60.8, 61, 61.2, 61.4], "flat"),  # under 5 points in 8 weeks
        ([60, 75, 58, 77, 59, 78, 60, 76], "flat"),  # noise
        ([None, None, None, None, None, 60, 70, 80], ""),  # three weeks are not enough
        ([60, 62, 64, 20, 68, 70, 72, 74], "up"),  # one bad week does not turn it
        ([], ""),
    ],
)
def test_trend_shows_an_arrow_only_when_it_is_clear(scores, arrow):
    assert trend(weekly(*scores), DAY) == arrow


def test_trend_looks_at_eight_weeks_and_never_ahead():
    older = [(DAY - timedelta(weeks=20 + i), 10.0 * i) for i in range(5)]
    later = [(DAY + timedelta(weeks=1), 0.0)]
    assert trend(weekly(60, 60, 60, 60) + older + later, DAY) == "flat"


def test_theil_sen_needs_two_different_days():
    assert theil_sen([(0, 1), (0, 2)]) is None
    assert theil_sen([(0, 1), (1, 2), (2, 9)]) == 4
