"""Small figures as SVG: numbers in, geometry out. Pure; the macros of parts/ui.html draw them."""

from functools import lru_cache

SPARK_WIDTH, SPARK_HEIGHT, SPARK_PAD = 72.0, 24.0, 3.0
SPARK_LOW, SPARK_HIGH = 30.0, 100.0  # one scale for every customer, so that rows compare


def spark_y(score: float) -> float:
    inside = min(max(score, SPARK_LOW), SPARK_HIGH)
    span = SPARK_HEIGHT - 2 * SPARK_PAD
    return SPARK_HEIGHT - SPARK_PAD - (inside - SPARK_LOW) / (SPARK_HIGH - SPARK_LOW) * span


# a list writes six hundred points, of a dozen places and a thousand scores
@lru_cache(maxsize=2_000)
def _written_y(score: float) -> str:
    return f"{spark_y(score):.1f}"


@lru_cache(maxsize=100)
def _written_x(weeks: int) -> list[str]:
    step = SPARK_WIDTH / max(weeks - 1, 1)
    return [f"{position * step:.1f}" for position in range(weeks)]


def spark(line: list[float | None]) -> dict:
    """Path of weekly scores, oldest first; a week without a score leaves a gap.

    Returns {"path", "end": (x, y) or None, "first", "last"}; path is "" with under two points.
    """
    path, pen, last, known = [], "M", None, []
    for x, score in zip(_written_x(len(line)), line, strict=True):
        if score is None:
            pen = "M"
            continue
        last = (x, _written_y(score))
        path.append(f"{pen}{x} {last[1]}")
        pen = "L"
        known.append(score)
    return {
        "path": "".join(path) if len(known) > 1 else "",
        "end": (float(last[0]), float(last[1])) if last else None,
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
