"""A card put into another column of the board becomes what the column says."""

from datetime import datetime, timedelta

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.tasks.actions import work
from gengyun.tasks.calc.when import AFTER, NEVER, NEXT, TODAY, WEEK, day_for
from gengyun.team.models import User
from gengyun.team.queries.people import possible_owners

PARTS = (TODAY, WEEK, NEXT, AFTER, NEVER)


def put(*, actor: User | None, now: datetime, task_id: int, way: str, column: str) -> str:
    """`way` and `column` as in `queries.board`; returns the batch that takes it back."""
    given: work.Given = {"actor": actor, "now": now, "task_ids": [task_id]}
    if way == "who":
        return work.assign(owner=_person(column), **given)
    if column == "done":
        return work.finish(**given)
    if way == "when" and column in PARTS:
        return work.move(due_on=day_for(column, day_of(now)), **given)
    if way == "progress" and column == "later":
        return work.snooze(until=day_of(now) + timedelta(days=1), **given)
    if way == "progress" and column == "doing":
        return work.start(**given)
    if way == "progress" and column == "todo":
        return work.shelve(**given)
    raise NotFound


def _person(column: str) -> User | None:
    if column == "0":
        return None
    if not (column.isascii() and column.isdecimal() and len(column) < 18):
        raise NotFound
    found = possible_owners().filter(pk=int(column)).first()
    if found is None:
        raise NotFound
    return found
