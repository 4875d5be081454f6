"""Work items that packages above ask for: they register who can tell of them."""

from collections.abc import Callable, Collection
from datetime import date

from gengyun.alerts.calc.customer_rules import Asked
from gengyun.alerts.queries.day import FEW, Day

# (first day, last day, customers or None for all) -> what was asked for
Tell = Callable[[date, date, Collection[int] | None], list[Asked]]
_tellers: list[Tell] = []


def asked_by(tell: Tell) -> Tell:
    """Register; called when the application starts."""
    if tell not in _tellers:
        _tellers.append(tell)
    return tell


def asked_of(day: Day, *, days: int) -> list[Asked]:
    """Of the last `days`, and of one more: what has just run out is told to be over."""
    members = set(day.ids.tolist())
    few = sorted(members) if len(members) <= FEW else None
    first = date.fromordinal(day.today.toordinal() - days - 1)
    return [
        row
        for tell in _tellers
        for row in tell(first, day.today, few)
        if row.customer_id in members
    ]
