"""Geometry of the small charts of an effect: an interval that narrows, two groups side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from gengyun.web.present import format as plain

WIDTH, HEIGHT = 560.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 10.0, 20.0


@dataclass(frozen=True)
class Lines:
    """`area`: the band; `lines`: each a path; `ticks`: (y, text); `marks`: (x, text, anchor)."""

    lines: list[str]
    ticks: list[tuple[float, str]]
    marks: list[tuple[float, str, str]]
    area: str = ""
    zero: float | None = None  # y
    entry: float | None = None  # x of the week of entry
    rows: list[tuple[str, ...]] = field(default_factory=list)  # the same as figures


class _Frame:
    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self.x0, self.x1 = min(xs), max(xs)
        pad = (max(ys) - min(ys)) * 0.06 or 1.0
        self.y0, self.y1 = min(ys) - pad, max(ys) + pad

    def x(self, value: float) -> float:
        wide = (self.x1 - self.x0) or 1.0
        return round(LEFT + (value - self.x0) / wide * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        high = self.y1 - self.y0
        return round(HEIGHT - BOTTOM - (value - self.y0) / high * (HEIGHT - TOP - BOTTOM), 1)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{self.x(x)} {self.y(y)}" for x, y in points)


def band(
    said: Sequence[tuple[date, tuple[float, float, float]]],
    text: Callable[[float], str],
    *,
    zh: bool,
) -> Lines:
    """The interval that may be looked at daily, as it was on each night."""
    days = [day.toordinal() for day, _ in said]
    frame = _Frame(days, [0.0, *(value for _, three in said for value in three)])
    low = [(day, three[1]) for day, (_, three) in zip(days, said, strict=True)]
    high = [(day, three[2]) for day, (_, three) in zip(days, said, strict=True)]
    middle = [(day, three[0]) for day, (_, three) in zip(days, said, strict=True)]
    ends = (min(y for _, y in low), max(y for _, y in high))
    return Lines(
        lines=[frame.path(middle)],
        area=frame.path([*high, *reversed(low)]) + "Z",
        zero=frame.y(0.0),
        ticks=[(frame.y(value), text(value)) for value in {*ends, 0.0}],
        marks=[
            (frame.x(days[0]), plain.day_full(said[0][0], zh=zh), "start"),
            (frame.x(days[-1]), plain.day_full(said[-1][0], zh=zh), "end"),
        ],
        rows=[
            (plain.day_full(day, zh=zh), text(three[0]), text(three[1]), text(three[2]))
            for day, three in said[-30:]
        ],
    )


def pair(trend: Sequence[Sequence[float]], *, zh: bool) -> Lines | None:
    """(week, worked on, beside) as two lines; the week of entry marked."""
    if len(trend) < 2:
        return None
    weeks = [float(week) for week, _, _ in trend]
    frame = _Frame(weeks, [value for _, mine, theirs in trend for value in (mine, theirs)])
    ends = sorted({value for _, mine, theirs in trend for value in (mine, theirs)})
    return Lines(
        lines=[
            frame.path([(week, mine) for week, mine, _ in trend]),
            frame.path([(week, theirs) for week, _, theirs in trend]),
        ],
        entry=frame.x(0.0),
        ticks=[(frame.y(value), plain.number(value)) for value in (ends[0], ends[-1])],
        marks=[
            (frame.x(weeks[0]), _weeks(weeks[0], zh=zh), "start"),
            (frame.x(weeks[-1]), _weeks(weeks[-1], zh=zh), "end"),
        ],
        rows=[
            (_weeks(week, zh=zh), plain.number(mine), plain.number(theirs))
            for week, mine, theirs in trend
        ],
    )


def _weeks(week: float, *, zh: bool) -> str:
    number = plain.signed(week, 0)
    return f"{number} 周" if zh else f"{number} weeks"
