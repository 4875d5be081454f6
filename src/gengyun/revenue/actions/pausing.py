"""A line that rests: its ARR goes out on one day and comes back on another."""

from datetime import date, datetime

from django.db import transaction

from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import (
    DayOutsideLine,
    LineAnswered,
    LineNotInForce,
    LineNotPaused,
    LinePaused,
)
from gengyun.revenue.models import Line, Movement
from gengyun.team.models import User


@transaction.atomic
def pause(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    on: date,
    until: date | None = None,
    note: str = "",
    known_at: datetime | None = None,
) -> list[Movement]:
    """`on`: first day of the pause; `until`: first day after it, if that is agreed. The last day of
    the line does not move: extend it for that. Metrics may count a pause as if there were none."""
    book, [row] = open_book(actor=actor, now=now, lines=[line], known_at=known_at)
    if book.paused(row):
        raise LinePaused
    arr = book.balance(row, on)
    if arr <= 0:
        raise LineNotInForce(day=on.isoformat())
    if book.balance(row) <= 0:
        raise LineAnswered  # an end or a successor is written down already
    if until is not None and (until <= on or (row.ends_on and until > row.ends_on)):
        end = row.ends_on.isoformat() if row.ends_on else "…"
        raise DayOutsideLine(day=until.isoformat(), start=on.isoformat(), end=end)
    book.post(row, "pause", -arr, on, note=note)
    if until is not None:
        book.post(row, "resume", arr, until, note=note)
    book.tell("line.pause", row, {"on": [None, on], "until": [None, until]})
    return book.close()


@transaction.atomic
def resume(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    on: date,
    note: str = "",
    known_at: datetime | None = None,
) -> list[Movement]:
    """The ARR that the pause took out comes back."""
    book, [row] = open_book(actor=actor, now=now, lines=[line], known_at=known_at)
    paused = book.paused(row)
    if not paused:
        raise LineNotPaused
    since = max(r.effective_on for r in book.of_line(row) if r.kind == "pause")
    if on < since or (row.ends_on is not None and on > row.ends_on):
        end = row.ends_on.isoformat() if row.ends_on else "…"
        raise DayOutsideLine(day=on.isoformat(), start=since.isoformat(), end=end)
    book.post(row, "resume", paused, on, note=note)
    book.tell("line.resume", row, {"on": [None, on]})
    return book.close()
