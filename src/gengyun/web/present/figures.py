"""Small figures as SVG: numbers in, geometry out. Pure; the macros of parts/ui.html draw them."""

SPARK_WIDTH, SPARK_HEIGHT, SPARK_PAD = 72.0, 24.0, 3.0
SPARK_LOW, SPARK_HIGH = 30.0, 100.0  # one scale for every customer, so that rows compare


def spark_y(score: float) -> float:
    inside = min(max(score, SPARK_LOW), SPARK_HIGH)
    span = SPARK_HEIGHT - 2 * SPARK_PAD
    return SPARK_HEIGHT - SPARK_PAD - (inside - SPARK_LOW) / (SPARK_HIGH - SPARK_LOW) * span


def spark(line: list[float | None]) -> dict:
    """Path of weekly scores, oldest first; a week without a score leaves a gap.

    Returns {"path", "end": (x, y) or None, "first", "last"}; path is "" with under two points.
    """
    step = SPARK_WIDTH / max(len(line) - 1, 1)
    path, pen_down, end, known = [], False, None, []
    for position, score in enumerate(line):
        if score is None:
            pen_down = False
            continue
        x, y = position * step, spark_y(score)
        path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down, end = True, (round(x, 1), round(y, 1))
        known.append(score)
    return {
        "path": "".join(path) if len(known) > 1 else "",
        "end": end,
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
    }


def band_of(score: float | None) -> str:
    """Colour of a factor's own score on the default bands; not the band of a customer."""
    if score is None:
        return "n"
    return "a" if score >= 80 else "b" if score >= 65 else "c" if score >= 50 else "d"


def stacked(counts: list[int], total: int, width: float = 100.0) -> list[tuple[float, float]]:
    """(x, width) of each piece of a bar that is `counts.sum() / total` of `width` long."""
    pieces, x = [], 0.0
    for count in counts:
        size = width * count / total if total else 0.0
        pieces.append((round(x, 2), round(size, 2)))
        x += size
    return pieces
