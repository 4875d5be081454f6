"""One press of a button on one task or many: locked, logged, audited, told; undone as one."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.tasks.actions.snapshots import freeze, plain
from gengyun.tasks.actions.telling import tell
from gengyun.tasks.models import Task, TaskEvent
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

CHUNK = 500
MOST = 1_000  # tasks in one press
# what a change tells the log: field -> [old, new]; None: nothing to do for this task
Told = dict[str, list[Any]]


class TaskClosed(Refusal):
    code = "task_closed"
    status = 409
    message = "This task is done or dropped already."


class TaskNotClosed(Refusal):
    code = "task_not_closed"
    status = 409
    message = "This task is still open."


class TooManyTasks(Refusal):
    code = "too_many_tasks"
    message = "At most %(limit)s tasks can be changed at once."


def press(
    actor: User | None,
    now: datetime,
    task_ids: Sequence[int],
    kind: TaskEvent.Kind,
    change: Callable[[Task], Told | None],
) -> str:
    """Apply `change` to every task, all or none; returns the batch that takes it back. Call it
    inside a transaction."""
    require(actor, "task.work")
    if len(set(task_ids)) > MOST:
        raise TooManyTasks(limit=MOST)
    batch = uuid4().hex
    events: list[TaskEvent] = []
    told: list[tuple[Task, Told]] = []
    for task in mine(actor, task_ids):
        before = freeze(task)
        detail = change(task)
        if detail is None:
            continue
        if actor is not None and task.owner_id == actor.pk:
            task.is_new = False
        task.updated_at = now
        task.save()
        said = {name: [plain(one) for one in pair] for name, pair in detail.items()}
        events.append(
            TaskEvent(
                task=task,
                at=now,
                actor=actor,
                kind=kind,
                detail=said,
                batch=batch,
                before=before,
            )
        )
        told.append((task, said))
    TaskEvent.objects.bulk_create(events, batch_size=CHUNK)
    record_many(actor=actor, now=now, action=f"task.{kind.value}", changes=told)
    tell([task for task, _ in told], now=now)
    return batch


def mine(actor: User | None, task_ids: Iterable[int]) -> list[Task]:
    """Locked rows; one that the actor may not see refuses them all."""
    ids = sorted(set(task_ids))
    rows: list[Task] = []
    for start in range(0, len(ids), CHUNK):
        seen = Task.objects.visible_to(actor).filter(pk__in=ids[start : start + CHUNK])
        rows += seen.order_by("pk").select_for_update(of=("self",))
    if len(rows) != len(ids):
        raise NotFound
    return rows


def must_be_open(task: Task) -> None:
    if task.state != Task.State.OPEN:
        raise TaskClosed


def must_be_closed(task: Task) -> None:
    if task.state == Task.State.OPEN:
        raise TaskNotClosed
