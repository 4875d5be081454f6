"""How many messages a person may get: budget classes and rolling caps. Pure.

A cap of n in d days holds for every interval of d * 24 hours, not for calendar days: two messages
at 23:50 and 00:10 are two in one day. Checked against what was sent and what is planned, before
and after the moment in question, so that a plan made later cannot break an earlier one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# what a message counts in. operational: what the reader asked for or must know; counts in nothing
SERVICE, CAMPAIGN, SURVEY, OPERATIONAL = "service", "campaign", "survey", "operational"
CLASSES = (SERVICE, CAMPAIGN, SURVEY, OPERATIONAL)
ALL = "all"  # over every class but operational
WINDOWS = (1, 7, 30)  # days

CLASS_OF = {
    "service": SERVICE,
    "relation": SERVICE,
    "education": CAMPAIGN,
    "marketing": CAMPAIGN,
    "survey": SURVEY,
}

# key: days as text, as JSON keeps it
DEFAULT_CAPS: dict[str, dict[str, int]] = {
    ALL: {"1": 1, "7": 3, "30": 8},
    SERVICE: {"1": 1, "7": 3, "30": 8},
    CAMPAIGN: {"1": 1, "7": 1, "30": 4},
    SURVEY: {"1": 1, "7": 1, "30": 2},
}


@dataclass(frozen=True)
class Counted:
    """A message that counts: when it was, or will be, sent, and in what class."""

    at: datetime
    budget_class: str


@dataclass(frozen=True)
class OverCap:
    """The cap that one more message would break, and from when on it would not."""

    days: int
    cap: int
    budget_class: str  # or "all"
    counted: int
    free_at: datetime

    @property
    def reason(self) -> str:
        return f"cap_{self.days}d"


def most_within(times: Iterable[datetime], at: datetime, span: timedelta) -> int:
    """The most messages in any interval (t - span, t] that holds `at`, with one more at `at`."""
    known = sorted(one for one in times if at - span < one < at + span)
    ends = [at, *(one for one in known if one > at)]
    return max(sum(end - span < one <= end for one in known) + 1 for end in ends)


def over_cap(
    caps: Mapping[str, Mapping[str, int]],
    budget_class: str,
    known: Iterable[Counted],
    at: datetime,
) -> OverCap | None:
    """The first cap that a message at `at` would break; None: there is room."""
    if budget_class == OPERATIONAL:
        return None
    counting = [one for one in known if one.budget_class != OPERATIONAL]
    for days in WINDOWS:
        span = timedelta(days=days)
        for name in (ALL, budget_class):
            cap = caps.get(name, {}).get(str(days))
            if cap is None:
                continue
            times = [one.at for one in counting if name in (ALL, one.budget_class)]
            most = most_within(times, at, span)
            if most > cap:
                free_at = _free_at(times, at, span, cap)
                return OverCap(days, cap, name, most - 1, free_at)
    return None


def _free_at(times: list[datetime], at: datetime, span: timedelta, cap: int) -> datetime:
    """The first moment from `at` on at which one more keeps to the cap."""
    if cap < 1:
        return datetime.max.replace(tzinfo=at.tzinfo)
    ends = sorted(one + span for one in times if one + span > at)
    return next((end for end in ends if most_within(times, end, span) <= cap), at)
