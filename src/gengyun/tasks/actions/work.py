"""What people do with tasks, one or many at once: one press is one batch, undone as one.

Every function takes ids, refuses all of them when one cannot be done, and returns the batch's id
for `undoing.undo`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypedDict

from django.db import transaction

from gengyun.customers.models import Contact, Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.tasks.actions import values
from gengyun.tasks.actions.pressing import must_be_closed, must_be_open, press
from gengyun.tasks.models import Task, TaskEvent
from gengyun.tasks.queries.stakes import stakes_of
from gengyun.team.actions.pressing import Told
from gengyun.team.models import User

Kind = TaskEvent.Kind
SNOOZE_DAYS = 90
RESULT = 2_000


class Given(TypedDict):
    """Who does it, when, to which tasks."""

    actor: User | None
    now: datetime
    task_ids: Sequence[int]


class TaskSnoozeDayBad(Refusal):
    code = "task_snooze_day_bad"
    message = "Choose a day after today, at most %(days)s days away."


class DropReasonMissing(Refusal):
    code = "task_drop_reason_missing"
    message = "Say why the task is not done."


class TaskFieldUnknown(Refusal):
    code = "task_field_unknown"
    message = "%(field)s of a task cannot be changed."


@transaction.atomic
def finish(*, actor: User | None, now: datetime, task_ids: Sequence[int], result: str = "") -> str:
    """Done. The result says what came of it, for whoever reads it later."""
    text = values.clean_text(result, limit=RESULT)

    def change(task: Task) -> Told | None:
        must_be_open(task)
        return _close(task, Task.State.DONE, text, actor, now)

    return press(actor, now, task_ids, Kind.DONE, change)


@transaction.atomic
def drop(*, actor: User | None, now: datetime, task_ids: Sequence[int], reason: str) -> str:
    """Not done, and it will not be: the reason stays with it."""
    text = values.clean_text(reason, limit=RESULT)
    if not text:
        raise DropReasonMissing

    def change(task: Task) -> Told | None:
        must_be_open(task)
        return _close(task, Task.State.DROPPED, text, actor, now)

    return press(actor, now, task_ids, Kind.DROPPED, change)


@transaction.atomic
def reopen(*, actor: User | None, now: datetime, task_ids: Sequence[int]) -> str:
    """Not done after all; what was written as its result stays in the log."""

    def change(task: Task) -> Told | None:
        must_be_closed(task)
        told: Told = {"state": [task.state, Task.State.OPEN]}
        if task.result:
            told["result"] = [task.result, ""]
        task.state, task.done_at, task.done_by, task.result = Task.State.OPEN, None, None, ""
        return told

    return press(actor, now, task_ids, Kind.REOPENED, change)


@transaction.atomic
def assign(
    *, actor: User | None, now: datetime, task_ids: Sequence[int], owner: User | None
) -> str:
    """Give to a colleague or take it oneself; to nobody: back to the holder of its role. It stays
    where it was given when the customer moves."""
    values.check_owner(owner)

    def change(task: Task) -> Told | None:
        must_be_open(task)
        wanted = owner.pk if owner is not None else None
        if task.owner_id == wanted and task.is_assigned == (owner is not None):
            return None
        told = {"owner": [task.owner_id, wanted]}
        task.owner, task.is_assigned = owner, owner is not None
        task.is_new = values.is_news(wanted, actor)
        return told

    return press(actor, now, task_ids, Kind.ASSIGNED, change)


def look(*, actor: User, task: Task) -> None:
    """Its owner has it before them: it is no news any more. Others looking change nothing."""
    Task.objects.filter(pk=task.pk, owner=actor, is_new=True).update(is_new=False)


@transaction.atomic
def move(*, actor: User | None, now: datetime, task_ids: Sequence[int], due_on: date | None) -> str:
    """Another due day. What slept until later than its new day wakes."""
    day = values.clean_day(due_on, today=day_of(now))

    def change(task: Task) -> Told | None:
        must_be_open(task)
        if task.due_on == day:
            return None
        told: Told = {"due_on": [task.due_on, day]}
        task.due_on = day
        if task.snoozed_until is not None and day is not None and task.snoozed_until > day:
            told["snoozed_until"] = [task.snoozed_until, None]
            task.snoozed_until = None
        return told

    return press(actor, now, task_ids, Kind.MOVED, change)


@transaction.atomic
def snooze(*, actor: User | None, now: datetime, task_ids: Sequence[int], until: date) -> str:
    """Not shown before a day. The due day stays: putting off is not moving the promise."""
    if not 0 < (until - day_of(now)).days <= SNOOZE_DAYS:
        raise TaskSnoozeDayBad(days=SNOOZE_DAYS)

    def change(task: Task) -> Told | None:
        must_be_open(task)
        if task.snoozed_until == until:
            return None
        told = {"snoozed_until": [task.snoozed_until, until]}
        task.snoozed_until = until
        return told

    return press(actor, now, task_ids, Kind.SNOOZED, change)


@transaction.atomic
def wake(*, actor: User | None, now: datetime, task_ids: Sequence[int]) -> str:
    def change(task: Task) -> Told | None:
        must_be_open(task)
        if task.snoozed_until is None:
            return None
        told = {"snoozed_until": [task.snoozed_until, None]}
        task.snoozed_until = None
        return told

    return press(actor, now, task_ids, Kind.WOKEN, change)


@transaction.atomic
def start(*, actor: User | None, now: datetime, task_ids: Sequence[int]) -> str:
    """Somebody is at it: others see that it is in hand. Nobody's task becomes one's own."""

    def change(task: Task) -> Told | None:
        must_be_open(task)
        if task.started_at is not None:
            return None
        told: Told = {"started_at": [None, now]}
        task.started_at = now
        if task.owner_id is None and actor is not None:
            told["owner"] = [None, actor.pk]
            task.owner, task.is_assigned = actor, True
        if task.snoozed_until is not None:
            told["snoozed_until"] = [task.snoozed_until, None]
            task.snoozed_until = None
        return told

    return press(actor, now, task_ids, Kind.STARTED, change)


@transaction.atomic
def shelve(*, actor: User | None, now: datetime, task_ids: Sequence[int]) -> str:
    """Back among those to be done: nobody is at it, and it is not put off."""

    def change(task: Task) -> Told | None:
        must_be_open(task)
        told: Told = {
            name: [getattr(task, name), None]
            for name in ("started_at", "snoozed_until")
            if getattr(task, name) is not None
        }
        task.started_at = task.snoozed_until = None
        return told or None

    return press(actor, now, task_ids, Kind.STOPPED, change)


EDITABLE = ("title", "body", "priority", "due_on", "customer", "contact", "worth_minor")


@transaction.atomic
def edit(*, actor: User | None, now: datetime, task: Task, changes: Mapping[str, Any]) -> str:
    """Change `EDITABLE` fields of a task, closed ones too: a text may be mended later."""
    for name in changes:
        if name not in EDITABLE:
            raise TaskFieldUnknown(field=name)
    wanted = _clean(actor, changes, today=day_of(now))

    def change(row: Task) -> Told | None:
        told: Told = {}
        for name, value in wanted.items():
            if getattr(row, name) != value:
                told[name.removesuffix("_id")] = [getattr(row, name), value]
                setattr(row, name, value)
        if "customer" in told:
            if "contact_id" not in wanted:
                row.contact_id = None
            found = stakes_of([row.customer_id] if row.customer_id is not None else [])
            row.stake_minor = found.get(row.customer_id or 0)
        values.check_contact(row.contact, row.customer_id)
        return told or None

    return press(actor, now, [task.pk], Kind.EDITED, change)


def _clean(actor: User | None, changes: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Field names as the row has them -> values."""
    found: dict[str, Any] = {}
    if "title" in changes:
        found["title"] = values.clean_title(changes["title"])
    if "body" in changes:
        found["body"] = values.clean_text(changes["body"])
    if "priority" in changes:
        found["priority"] = values.clean_priority(changes["priority"])
    if "due_on" in changes:
        found["due_on"] = values.clean_day(changes["due_on"], today=today)
    if "worth_minor" in changes:
        found["worth_minor"] = values.clean_worth(changes["worth_minor"])
    if "customer" in changes:
        customer: Customer | None = changes["customer"]
        values.check_customer(actor, customer)
        found["customer_id"] = customer.pk if customer is not None else None
    if "contact" in changes:
        contact: Contact | None = changes["contact"]
        found["contact_id"] = contact.pk if contact is not None else None
    return found


def _close(task: Task, state: str, text: str, actor: User | None, now: datetime) -> Told:
    told: Told = {"state": [task.state, state]}
    if text:
        told["result"] = [task.result, text]
    task.state, task.done_at, task.done_by, task.result = state, now, actor, text
    task.snoozed_until = None
    return told
