"""The life of an episode: one decision per rule, thing and judged day. Pure.

An episode opens beyond *enter* (for as many judged days in a row as the rule asks), goes on between
the thresholds, and ends beyond *exit* for two judged days in a row. Judging a day again counts
nothing twice. After a close by hand the same condition stays silent for the cool-down unless it
becomes more urgent, and up to `reopen_days` unless it is worse than at the close
(cs-platforms.md 3.7, science.md 5.3).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from gengyun.alerts.calc.found import Reading

EXIT_EVALUATIONS = 2
WORSE_SHARE = 0.1  # of the value at the close


class Do(Enum):
    NOTHING = "nothing"
    WATCH = "watch"  # begin or go on counting
    FORGET = "forget"  # what was watched did not last
    OPEN = "open"
    GO_ON = "go_on"
    CLOSE = "close"
    MARK_CLEARED = "mark_cleared"  # closed by hand before, and now the condition is gone
    COOL_DOWN = "cool_down"  # silent: closed by hand a few days ago
    NOT_WORSE = "not_worse"  # silent: closed lately, no worse than then


@dataclass(frozen=True)
class Running:
    """The episode that is watched or open."""

    is_open: bool
    opened_on: date
    judged_on: date
    enter_count: int
    exit_count: int


@dataclass(frozen=True)
class Ended:
    """The last episode of the same thing."""

    closed_on: date
    is_manual: bool
    cleared_on: date | None
    severity: int
    value: float | None


@dataclass(frozen=True)
class Terms:
    """What the rule and the policy ask for."""

    evaluations: int = 1
    cool_down_days: int = 14
    reopen_days: int = 30
    worse: str = ""  # lower, higher, or "": only severity tells
    exit_evaluations: int = EXIT_EVALUATIONS


@dataclass(frozen=True)
class Step:
    do: Do
    enter_count: int = 0
    exit_count: int = 0


def step(
    *,
    reading: Reading,
    running: Running | None,
    ended: Ended | None,
    terms: Terms,
    as_of: date,
) -> Step:
    """What becomes of it on this day."""
    if running is not None and running.is_open:
        return _open(reading, running, terms, as_of)
    silent = _silent(reading, ended, terms, as_of)
    if silent is not None:
        return Step(silent)
    if not reading.entered:
        return Step(Do.FORGET if running is not None and reading.cleared else Do.NOTHING)
    count = 1
    if running is not None:
        count = running.enter_count + (1 if as_of > running.judged_on else 0)
    return Step(Do.OPEN if count >= terms.evaluations else Do.WATCH, enter_count=count)


def _open(reading: Reading, running: Running, terms: Terms, as_of: date) -> Step:
    is_new_day = as_of > running.judged_on
    if reading.entered:
        return Step(Do.GO_ON, running.enter_count + is_new_day, 0)
    if not reading.cleared:
        return Step(Do.GO_ON, 0, 0)
    # a day that is judged again says once more what it said before: it does not count twice
    count = running.exit_count + (1 if is_new_day or running.exit_count == 0 else 0)
    return Step(Do.CLOSE if count >= terms.exit_evaluations else Do.GO_ON, 0, count)


def _silent(reading: Reading, ended: Ended | None, terms: Terms, as_of: date) -> Do | None:
    if ended is None or not ended.is_manual:
        return None
    if not reading.entered:
        is_news = reading.cleared and ended.cleared_on is None and as_of >= ended.closed_on
        return Do.MARK_CLEARED if is_news else None
    if reading.severity < ended.severity:
        return None
    if as_of < ended.closed_on + timedelta(days=terms.cool_down_days):
        return Do.COOL_DOWN
    came_anew = ended.cleared_on is not None
    if came_anew or as_of >= ended.closed_on + timedelta(days=terms.reopen_days):
        return None
    return None if is_worse(reading.value, ended.value, terms.worse) else Do.NOT_WORSE


def is_worse(value: float | None, before: float | None, worse: str) -> bool:
    """Beyond the value at the close by a tenth of it."""
    if value is None or before is None or worse not in {"lower", "higher"}:
        return False
    margin = WORSE_SHARE * abs(before)
    return value < before - margin if worse == "lower" else value > before + margin


def worst(value: float | None, before: float | None, worse: str) -> float | None:
    """The worse of two readings; where no way is worse, the larger."""
    if value is None or before is None:
        return before if value is None else value
    return min(value, before) if worse == "lower" else max(value, before)


def may_raise(raised_on: date | None, as_of: date, gap_days: int) -> bool:
    """Severity rises at most once in `gap_days`, counted from the last rise."""
    return raised_on is None or as_of >= raised_on + timedelta(days=gap_days)
