"""When customers fell silent, and which of these a score had warned of. Pure.

Silent is a customer without any use for `SILENT_DAYS`. The silence is known on the first judged day
that sees it. A warning is a band C or D in the `AHEAD_DAYS` before that day, while the customer was
not yet known to be silent; a warning is false when no silence became known in the `AHEAD_DAYS`
after it. Weeks too young for that are not counted as false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

SILENT_DAYS = 30
AHEAD_DAYS = 90
WARNING_BANDS = frozenset({"C", "D"})
AHEAD = timedelta(days=AHEAD_DAYS)


@dataclass(frozen=True, slots=True)
class Week:
    """A customer on a judged day: days since the last use, and the band of a configuration."""

    day: date
    idle_days: float | None
    band: str


@dataclass(frozen=True, slots=True)
class Episode:
    """One silence: when it became known, and how many days before that the first warning came."""

    known_on: date
    warned_days: int | None  # None: no warning


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one customer under one configuration."""

    episodes: tuple[Episode, ...]
    was_flagged: bool  # in a week that could be followed up
    is_false: bool  # flagged, and no silence followed any flag


@dataclass(frozen=True, slots=True)
class Tally:
    """All customers under one configuration."""

    episodes: int
    caught: int
    flagged: int  # customers with a warning that could be followed up
    false: int
    warned_days: float | None  # median over the caught

    @property
    def precision(self) -> float | None:
        return (self.flagged - self.false) / self.flagged if self.flagged else None


def known_days(weeks: Sequence[tuple[date, float | None]]) -> list[date]:
    """The days on which a silence became known; one that stood at the beginning is not counted."""
    found: list[date] = []
    was_silent: bool | None = None
    for day, idle in weeks:
        if idle is None:
            continue
        is_silent = idle >= SILENT_DAYS
        if is_silent and was_silent is False:
            found.append(day)
        was_silent = is_silent
    return found


def outcome(weeks: Sequence[Week]) -> Outcome:
    """`weeks` ascending. Weeks in which the customer was silent, or unknown, warn of nothing."""
    known = known_days([(week.day, week.idle_days) for week in weeks])
    flags = [
        week.day
        for week in weeks
        if week.band in WARNING_BANDS
        and week.idle_days is not None
        and week.idle_days < SILENT_DAYS
    ]
    episodes = []
    for end in known:
        first = next((day for day in flags if end - AHEAD <= day < end), None)
        episodes.append(Episode(end, None if first is None else (end - first).days))
    last = weeks[-1].day if weeks else None
    right = {day for day in flags if any(day < end <= day + AHEAD for end in known)}
    followed = [day for day in flags if day in right or (last and day + AHEAD <= last)]
    return Outcome(tuple(episodes), bool(followed), bool(followed) and not right)


def is_silent_later(day: date, known: Sequence[date], last: date) -> bool | None:
    """Whether a silence became known within `AHEAD_DAYS`; None: too young to say."""
    if any(day < end <= day + AHEAD for end in known):
        return True
    return False if day + AHEAD <= last else None


def tally(outcomes: Mapping[int, Outcome]) -> Tally:
    episodes = [episode for found in outcomes.values() for episode in found.episodes]
    warned = [e.warned_days for e in episodes if e.warned_days is not None]
    return Tally(
        episodes=len(episodes),
        caught=len(warned),
        flagged=sum(found.was_flagged for found in outcomes.values()),
        false=sum(found.is_false for found in outcomes.values()),
        warned_days=median(warned) if warned else None,
    )
