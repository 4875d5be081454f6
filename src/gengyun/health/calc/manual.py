"""Inputs of a score that people give by hand; a factor names them like a metric. Pure."""

from datetime import date, timedelta

SENTIMENT = "csm_sentiment"
KEYS = frozenset({SENTIMENT})
NAMES = {SENTIMENT: ("CSM 判断", "CSM sentiment")}
# 1 alarmed, 2 worried, 3 steady, 4 confident: the middle of the bands D, C, B, A
SENTIMENT_CURVE = [[1, 25], [2, 57], [3, 72], [4, 92]]
CALM_DAYS, WORRIED_DAYS = 30, 14  # a worry must be looked at again sooner
LEVELS = (1, 2, 3, 4)


def valid_until(level: int, day: date) -> date:
    """The last day on which a sentiment of `day` counts: 30 days, 14 for the two lower levels."""
    return day + timedelta(days=WORRIED_DAYS if level <= 2 else CALM_DAYS)
