"""What a run does next: pure, so that the engine and a person reading it agree.

A run is looked at when it is due. First it is asked whether it ends (customer gone, goal reached,
exit, entry lost), then it does one step after another until one of them takes time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from gengyun.customers.calc.custom import Stored
from gengyun.kernel.calc.workdays import working_day_after
from gengyun.sop.calc.form import END, DateRef, Form, Wait

# more steps than this in one run: something goes round for years, and nobody meant that
MOST_STEPS = 500
DATE_OF = {"renews_on": "renews", "next_step_on": "next_step", "last_event_on": "last_event"}


@dataclass(frozen=True)
class Ending:
    state: str  # done, exited
    reason: str


GONE = Ending("exited", "gone")
CONTACT_GONE = Ending("exited", "contact_left")
GOAL = Ending("done", "goal")
EXIT = Ending("exited", "exit")
LOST = Ending("exited", "lost")


@dataclass(frozen=True)
class Look:
    """What conditions say at the moment of a look; None: not known, or there is no condition."""

    is_there: bool = True
    contact_is_there: bool = True
    goal: bool | None = None
    exit: bool | None = None
    entry: bool | None = None


def ending(form: Form, look: Look) -> Ending | None:
    """Why the run ends before its next step, if it does."""
    if not look.is_there:
        return GONE
    if not look.contact_is_there:
        return CONTACT_GONE
    if look.goal is True:
        return GOAL
    if look.exit is True:
        return EXIT
    if form.on_lost == "leave" and look.entry is not True:
        return LOST
    return None


@dataclass(frozen=True)
class Waiting:
    """`until`: the end, or the time-out; `look_at`: when it is worth a look."""

    until: datetime
    look_at: datetime


@dataclass(frozen=True)
class Over:
    """The wait is over: why, and where it goes on."""

    reason: str  # time, condition, date, timed_out
    next: str | None


def same_time(now: datetime, day: date, zone: tzinfo) -> datetime:
    """The same time of day on another day, on the company's clock. An hour that a change of the
    clock leaves out is the one after it, as `zoneinfo` reads it."""
    local = now.astimezone(zone)
    return datetime.combine(day, local.time(), zone)


def begin_wait(wait: Wait, *, now: datetime, zone: tzinfo, on: date | None) -> Waiting:
    """`on`: the day of `wait.date`, where it is known."""
    today = now.astimezone(zone).date()
    if wait.days is not None:
        end = same_time(now, today + timedelta(days=wait.days), zone)
        return Waiting(end, end)
    if wait.working_days is not None:
        end = same_time(now, working_day_after(today, wait.working_days), zone)
        return Waiting(end, end)
    end = same_time(now, today + timedelta(days=wait.timeout_days or 1), zone)
    if wait.until is not None:
        return Waiting(end, now)  # it may hold already
    return Waiting(end, end if on is None else max(now, min(end, start_of(on, zone))))


def look_at_wait(
    wait: Wait,
    way: str | None,
    *,
    end: datetime,
    now: datetime,
    zone: tzinfo,
    holds: bool | None,
    on: date | None,
) -> Over | datetime:
    """The wait is over, or when to look again. `way`: the step's next one."""
    if wait.until is not None and holds is True:
        return Over("condition", way)
    if wait.date is not None and on is not None and now >= start_of(on, zone):
        return Over("date", way)
    if now >= end:
        if wait.days is not None or wait.working_days is not None:
            return Over("time", way)
        late = None if wait.on_timeout == END else wait.on_timeout or way
        return Over("timed_out", late)
    if wait.date is not None and on is not None:
        return min(end, start_of(on, zone))
    return end


def start_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def dates_of(form: Form) -> set[str]:
    """The customer's dates that its waits need to know, as conditions call them."""
    waits = (step.wait.date for step in form.steps.values() if step.wait is not None)
    return {DATE_OF.get(ref.field, ref.field) for ref in waits if ref is not None}


def day_of_ref(
    ref: DateRef, values: Mapping[str, Any], custom: Mapping[str, Sequence[Stored]]
) -> date | None:
    """The day that a customer's date says, moved by the offset; None: the date is not known."""
    stored = custom.get(ref.field)
    found = stored[0].day if stored else values.get(DATE_OF.get(ref.field, ref.field))
    return None if found is None else found + timedelta(days=ref.offset_days)
