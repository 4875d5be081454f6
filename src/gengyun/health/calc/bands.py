"""Bands: half-open ranges of the score, with a margin so that a letter does not flicker."""

from gengyun.health.calc.config import Config

UNKNOWN = "N"  # 数据不足: not enough data for a number
LOWEST = "D"


def plain_band(config: Config, score: float) -> str:
    """The band [low, high) in which the score lies; the top band is closed at 100."""
    for name, low in config.bands:
        if score >= low:
            return name
    return LOWEST


def band(config: Config, score: float | None, previous: str | None) -> str:
    """The band to show. The last band is kept while the score is within `hysteresis` of it.

    With A from 80 and a margin of 3, an A customer stays A down to 77 (included) and a B customer
    becomes A at 83. A score that has clearly left the last band gets the band it lies in.
    """
    if score is None:
        return UNKNOWN
    names = [name for name, _ in config.bands] + [LOWEST]
    if previous not in names:
        return plain_band(config, score)
    lows = dict(config.bands) | {LOWEST: float("-inf")}
    place = names.index(previous)
    low = lows[previous] - config.hysteresis
    high = lows[names[place - 1]] + config.hysteresis if place else float("inf")
    return previous if low <= score < high else plain_band(config, score)
