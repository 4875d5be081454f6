"""When a task presses: which part of the list and which column of the board it stands in. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from gengyun.kernel.calc.workdays import is_working_day, working_day_after

LATE, TODAY, WEEK, NEXT, AFTER, NEVER = "late", "today", "week", "next", "after", "never"
BUCKETS = (LATE, TODAY, WEEK, NEXT, AFTER, NEVER)


@dataclass(frozen=True)
class Days:
    """The borders between the parts, as seen on a day; weeks begin on Monday."""

    today: date

    @property
    def week_ends(self) -> date:
        """The Sunday of this week."""
        return self.today + timedelta(days=6 - self.today.weekday())

    @property
    def next_ends(self) -> date:
        return self.week_ends + timedelta(days=7)


def bucket(due_on: date | None, today: date) -> str:
    days = Days(today)
    if due_on is None:
        return NEVER
    if due_on < today:
        return LATE
    if due_on == today:
        return TODAY
    if due_on <= days.week_ends:
        return WEEK
    return NEXT if due_on <= days.next_ends else AFTER


def day_for(wanted: str, today: date) -> date | None:
    """The due day that a task gets when it is put into a part: the last working day of it. None
    for "no day"; raises for what is late, which nothing can be made."""
    days = Days(today)
    if wanted == NEVER:
        return None
    if wanted == TODAY:
        return today
    if wanted == WEEK:
        return max(_last_working(days.week_ends, after=today), today)
    if wanted == NEXT:
        return _last_working(days.next_ends, after=days.week_ends)
    if wanted == AFTER:
        return working_day_after(days.next_ends, 1)
    raise ValueError(wanted)


def _last_working(day: date, *, after: date) -> date:
    """The last working day up to `day`; `day` itself where a holiday takes the whole of it."""
    found = day
    while found > after:
        if is_working_day(found):
            return found
        found -= timedelta(days=1)
    return day
