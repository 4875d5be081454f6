"""Whose turn it is by the calendar: repeated snapshots, and days counted from a customer's date."""

from datetime import date, timedelta

from gengyun.sop.calc.form import DateRef


def is_snapshot_day(every: str, day: date, last: date | None) -> bool:
    """The first look always is; then the first look of a new week, month or quarter.

    A look that is repeated on the same day is the same snapshot.
    """
    if last is None:
        return True
    if every == "once":
        return False
    if last >= day:
        return False
    if every == "week":
        return _week(day) != _week(last)
    if every == "month":
        return (day.year, day.month) != (last.year, last.month)
    return (day.year, (day.month - 1) // 3) != (last.year, (last.month - 1) // 3)


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def date_span(ref: DateRef, day: date, last: date | None, *, backfill: bool) -> tuple[date, date]:
    """First and last date of the customers whose turn it is: theirs moved by the offset lies after
    the last look and not after `day`.

    At the first look with backfill also those whose turn has passed while the date itself has not:
    with "90 days before" everybody up to 90 days before.
    """
    newest = day - timedelta(days=ref.offset_days)
    if last is None:
        oldest = min(day, newest) if backfill else newest
    else:
        oldest = min(last + timedelta(days=1), day) - timedelta(days=ref.offset_days)
    return oldest, newest
