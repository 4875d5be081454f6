"""How a churn probability moved, as a small figure: interval as area, value as a line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

WIDTH, HEIGHT, PAD = 320.0, 72.0, 4.0
LEAST_TOP = 0.5  # the axis goes to half at least: three points of probability are no mountain
Point = tuple[str, float | None, float | None, float | None, int | None]


@dataclass(frozen=True)
class Line:
    """Geometry of the figure and its points; `path` is "" with fewer than two known values."""

    path: str
    area: str
    end: tuple[float, float] | None
    top: float  # probability at the upper edge
    half_y: float | None  # where half of `top` lies
    points: Sequence[Point]
    changes: Sequence[float]  # where the model changed


def drawn(points: Sequence[Sequence[Any]]) -> Line:
    rows: list[Point] = [(row[0], row[1], row[2], row[3], row[4]) for row in points]
    known = [row for row in rows if row[1] is not None]
    highest = max((row[3] or row[1] or 0 for row in known), default=0)
    top = min(1.0, max(LEAST_TOP, highest))
    if len(known) < 2:
        return Line("", "", None, top, None, rows, ())
    days = [date.fromisoformat(row[0]).toordinal() for row in known]
    span = max(days[-1] - days[0], 1)

    def x(day: int) -> float:
        return round((day - days[0]) / span * WIDTH, 1)

    def y(value: float) -> float:
        return round(HEIGHT - PAD - value / top * (HEIGHT - 2 * PAD), 1)

    at = [(x(day), y(row[1] or 0)) for day, row in zip(days, known, strict=True)]
    high = [(x(day), y(row[3] or 0)) for day, row in zip(days, known, strict=True) if row[3]]
    low = [(x(day), y(row[2] or 0)) for day, row in zip(days, known, strict=True) if row[3]]
    area = _path([*high, *reversed(low)]) + "Z" if len(high) > 1 else ""
    changes = [
        at[place][0] for place in range(1, len(known)) if known[place][4] != known[place - 1][4]
    ]
    return Line(_path(at), area, at[-1], top, y(top / 2), rows, changes)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{px} {py}" for px, py in points)


def value_before(points: Sequence[Sequence[Any]], newest: date, *, days: int) -> float | None:
    """The newest value of at least so many days before; None where the line is shorter."""
    border = (newest - timedelta(days=days)).isoformat()
    found = [row[1] for row in points if row[0] <= border and row[1] is not None]
    return float(found[-1]) if found else None


@dataclass(frozen=True)
class Alike:
    """What became of renewals that the model once gave such a probability."""

    low: float
    high: float
    count: int
    lost: int

    @property
    def rate(self) -> float:
        return self.lost / self.count


def alike(forecast: Any) -> Alike | None:
    """From the reliability table that the model carries, where it has the row."""
    if forecast.probability is None or forecast.model is None:
        return None
    for row in forecast.model.metrics.get("reliability") or ():
        low, high = row.get("from", row.get("low")), row.get("to", row.get("high"))
        count = row.get("count", row.get("n"))
        lost = row.get("lost", row.get("events"))
        if None in {low, high, count, lost} or not count:
            continue
        if low <= forecast.probability <= high:
            return Alike(float(low), float(high), int(count), int(lost))
    return None
