"""Curves from the values of similar customers: percentiles of a year, frozen for a quarter. Pure.

"Green" then means better than most of your kind were in the year before the quarter, not better
than they are today: nobody slides because others got better this week.
"""

from collections.abc import Sequence
from datetime import date

Curve = tuple[tuple[float, float], ...]
PERCENTILES = (10, 35, 65, 90)
SCORES = (20.0, 50.0, 80.0, 100.0)  # of a rising curve, at the four percentiles
LEAST_PEERS = 20  # customers; fewer say nothing about a kind


def quarter_of(day: date) -> date:
    """The first day of the quarter."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Linear between the ranks (Hyndman and Fan's type 7); `ordered` is ascending, not empty."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def percentiles(values: Sequence[float]) -> list[float]:
    """The values at 10, 35, 65 and 90 percent."""
    ordered = sorted(values)
    return [percentile(ordered, share / 100) for share in PERCENTILES]


def curve(points: Sequence[float], *, is_rising: bool) -> Curve | None:
    """The curve through the four percentiles; None when they are all one value.

    Where several percentiles fall on one value, that value gets the mean of their scores. For a
    falling curve the tenth percentile, the least, is the best.
    """
    scores = SCORES if is_rising else SCORES[::-1]
    merged: dict[float, list[float]] = {}
    for x, y in zip(points, scores, strict=True):
        merged.setdefault(x, []).append(y)
    if len(merged) < 2:
        return None
    return tuple((x, sum(ys) / len(ys)) for x, ys in sorted(merged.items()))


def group_key(kind: str, tier_id: int | None, stage_key: str) -> str:
    """The name of a customer's peers: "all", "tier:3", "tier:3/stage:rollout"."""
    if kind == "all" or tier_id is None:
        return "all"
    return f"tier:{tier_id}" if kind == "tier" else f"tier:{tier_id}/stage:{stage_key}"
