"""One press of a button on one task or many: locked, logged, audited, told; undone as one."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gengyun.kernel.errors import Refusal
from gengyun.tasks.actions.snapshots import freeze
from gengyun.tasks.actions.telling import tell
from gengyun.tasks.models import Task, TaskEvent
from gengyun.team.actions import pressing
from gengyun.team.actions.pressing import Told
from gengyun.team.models import User
from gengyun.team.queries.access import require

MOST = 1_000  # tasks in one press


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

    def seen(task: Task) -> Told | None:
        told = change(task)
        if told is not None and actor is not None and task.owner_id == actor.pk:
            task.is_new = False
        return told

    batch, changed = pressing.press(
        mine(actor, task_ids), seen,
        actor=actor, now=now, log=TaskEvent, of="task", kind=kind.value, freeze=freeze,
    )  # fmt: skip
    tell(changed, now=now)
    return batch


def mine(actor: User | None, task_ids: Iterable[int]) -> list[Task]:
    """Locked rows; one that the actor may not see refuses them all."""
    return pressing.locked(Task.objects.visible_to(actor), task_ids)


def must_be_open(task: Task) -> None:
    if task.state != Task.State.OPEN:
        raise TaskClosed


def must_be_closed(task: Task) -> None:
    if task.state == Task.State.OPEN:
        raise TaskNotClosed
