"""The line behind an alert: its geometry and its finding in words. Pure; drawn as server SVG."""

from dataclasses import dataclass, field
from datetime import date

from gengyun.web.present import format as plain

WIDTH, HEIGHT = 392.0, 132.0
LEFT, RIGHT, TOP, BOTTOM = 30.0, 6.0, 14.0, 18.0
REST = 0.5  # a day worth less than half a working day is a rest day


@dataclass(frozen=True)
class Chart:
    path: str
    dots: list[tuple[float, float]]  # rest days: shown, not joined
    ticks: list[tuple[float, str]]  # y, figure
    days: list[tuple[float, str, str]]  # x, day, text-anchor
    level: float | None = None  # y of what is usual, or of the threshold
    level_text: str = ""
    mark: float | None = None  # x of the day the alert opened
    shade: tuple[float, float] | None = None  # x and width of the window that is compared
    end: tuple[float, float] | None = None
    finding: str = ""
    caption: str = ""
    titles: list[tuple[float, float, str]] = field(default_factory=list)


def usage(line, *, reference, opened_on, today, zh):
    """Events per day; rest days as dots, the level before the alert dashed."""
    if line is None or not any(line.events):
        return None
    working = [
        None if factor < REST else float(events)
        for events, factor in zip(line.events, line.factor, strict=True)
    ]
    resting = [
        float(events) if factor < REST else None
        for events, factor in zip(line.events, line.factor, strict=True)
    ]
    caption = (
        "每天的使用次数；单独的点是休息日，不参与比较"
        if zh
        else "events a day; single dots are rest days, not compared"
    )
    level = "平时" if zh else "usual"
    return _chart(
        line.days,
        working,
        dots=resting,
        level=reference,
        level_text=level,
        opened_on=opened_on,
        window=14,
        caption=caption,
        today=today,
        zh=zh,
    )


def score(points, *, opened_on, today, zh):
    """Weekly health scores."""
    known = [value for _, value in points if value is not None]
    if len(known) < 2:
        return None
    caption = "近 26 周的健康分" if zh else "health score, 26 weeks"
    return _chart(
        [day for day, _ in points],
        [value for _, value in points],
        opened_on=opened_on,
        caption=caption,
        today=today,
        zh=zh,
        top=100.0,
    )


def readings(evidence, *, threshold, name, opened_on, today, zh, scale=1.0):
    """The readings of a rule over a metric, with its threshold."""
    points = [
        (date.fromisoformat(one["on"]), one["value"] * scale)
        for one in evidence
        if one.get("value") is not None
    ]
    if len(points) < 2:
        return None
    return _chart(
        [day for day, _ in points],
        [value for _, value in points],
        level=None if threshold is None else threshold * scale,
        level_text="界限" if zh else "limit",
        opened_on=opened_on,
        caption=name,
        today=today,
        zh=zh,
    )


def _chart(
    days,
    values,
    *,
    caption,
    today,
    zh,
    opened_on,
    dots=(),
    level=None,
    level_text="",
    window=0,
    top=None,
):
    known = [v for v in [*values, *dots, level] if v is not None]
    high = top or _nice(max(known, default=1.0))
    step = (WIDTH - LEFT - RIGHT) / max(len(days) - 1, 1)

    def x(place):
        return round(LEFT + place * step, 1)

    def y(value):
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(value, high) / high), 1)

    path = "".join(
        f"{'M' if first else 'L'}{x(place)} {y(value)}"
        for first, (place, value) in zip(
            [True] + [False] * len(days),
            ((p, v) for p, v in enumerate(values) if v is not None),
            strict=False,
        )
    )
    place = next((p for p, day in enumerate(days) if day >= opened_on), None)
    last = next(((x(p), y(v)) for p, v in reversed(list(enumerate(values))) if v is not None), None)
    first_x, last_x = LEFT, WIDTH - RIGHT
    return Chart(
        path=path,
        dots=[(x(p), y(v)) for p, v in enumerate(dots) if v is not None],
        ticks=[(y(0), "0"), (y(high), plain.number(high, 0))],
        days=[
            (first_x, plain.day(days[0], today=today, zh=zh), "start"),
            (last_x, plain.day(days[-1], today=today, zh=zh), "end"),
        ],
        level=None if level is None else y(level),
        level_text=level_text,
        mark=None if place is None or place == 0 else x(place),
        shade=(x(len(days) - window), round(window * step, 1)) if 0 < window < len(days) else None,
        end=last,
        finding=_finding(values, zh=zh),
        caption=caption,
    )


def _finding(values, *, zh):
    known = [v for v in values if v is not None]
    if len(known) < 4:
        return ""
    part = max(1, len(known) // 5)
    first, last = sum(known[:part]) / part, sum(known[-part:]) / part
    before, now = plain.number(first, 0), plain.number(last, 0)
    return f"从约 {before} 到约 {now}" if zh else f"from about {before} to about {now}"


def _nice(value):
    """The next round number above: 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    size = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 1.0
    return next(size * m for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if size * m >= value)
