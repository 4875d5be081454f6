"""Taking back one press of a button, on however many tasks it was."""

from datetime import datetime

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.tasks.actions.pressing import mine
from gengyun.tasks.actions.snapshots import thaw
from gengyun.tasks.actions.telling import tell
from gengyun.tasks.models import Task, TaskEvent
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

Kind = TaskEvent.Kind
# what may have come after without standing in the way
HARMLESS = (Kind.COMMENTED, Kind.FILED, Kind.UNFILED, Kind.UNDONE)


class CannotUndoTask(Refusal):
    code = "task_cannot_undo"
    status = 409
    message = "Something else happened to the task since; this can no longer be taken back."


@transaction.atomic
def undo(*, actor: User | None, now: datetime, batch: str) -> list[Task]:
    """Everything of the batch goes back to how it was; all or nothing. A task that was just made
    is dropped."""
    require(actor, "task.work")
    events = TaskEvent.objects.filter(batch=batch, undone_at__isnull=True).exclude(batch="")
    events = events.exclude(kind__in=HARMLESS)
    if actor is not None:
        events = events.filter(actor=actor)
    rows = {event.task_id: event for event in events.order_by("pk")} if batch else {}
    if not rows:
        raise NotFound
    tasks = _seen(actor, rows)
    for task in tasks:
        _take_back(task, rows[task.pk], actor, now)
    told = [(task, {"undone": rows[task.pk].kind}) for task in tasks]
    record_many(actor=actor, now=now, action="task.undone", changes=told)
    tell(tasks, now=now)
    return tasks


def _seen(actor: User | None, rows: dict[int, TaskEvent]) -> list[Task]:
    """The tasks, also those that the press itself took out of the actor's sight (given away)."""
    try:
        return mine(actor, rows)
    except NotFound:
        return mine(None, rows)  # the events are the actor's own, see `undo`


def _take_back(task: Task, event: TaskEvent, actor: User | None, now: datetime) -> None:
    later = TaskEvent.objects.filter(task=task, pk__gt=event.pk, undone_at__isnull=True)
    if later.exclude(kind__in=HARMLESS).exists():
        raise CannotUndoTask
    if event.before is None:  # it was made
        task.state, task.done_at, task.done_by = Task.State.DROPPED, now, actor
    else:
        thaw(task, event.before)
    task.updated_at = now
    task.save()
    event.undone_at = now
    event.save(update_fields=["undone_at"])
    TaskEvent.objects.create(
        task=task, at=now, actor=actor, kind=Kind.UNDONE, detail={"kind": event.kind}
    )
