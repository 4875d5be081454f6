"""The weekly trend of the score: Theil-Sen slope over eight weeks, shown only when it is clear."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations
from statistics import median

WEEKS = 8
MIN_POINTS = 4
MIN_CHANGE = 5.0  # points over the eight weeks


def theil_sen(points: Sequence[tuple[float, float]]) -> float | None:
    """Median of the slopes of all pairs; None with fewer than two different x."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] != a[0]]
    return median(slopes) if slopes else None


def trend(history: Sequence[tuple[date, float | None]], as_of: date) -> str:
    """ "up", "down", "flat", or "" when fewer than four weeks of the last eight have a score.

    An arrow only if |slope| x 8 weeks exceeds both 5 points and 1.5 robust standard deviations of
    the scatter around the line (1.4826 x median absolute residual).
    """
    points = [
        ((day - as_of).days / 7, score)
        for day, score in history
        if score is not None and 0 <= (as_of - day).days < WEEKS * 7
    ]
    slope = theil_sen(points)
    if slope is None or len(points) < MIN_POINTS:
        return ""
    level = median(y - slope * x for x, y in points)
    scatter = 1.4826 * median(abs(y - level - slope * x) for x, y in points)
    change = slope * WEEKS
    if abs(change) <= max(MIN_CHANGE, 1.5 * scatter):
        return "flat"
    return "up" if change > 0 else "down"
