"""Comments: everybody who sees the task may write; their own words they change themselves."""

from datetime import datetime

from django.db import transaction

from gengyun.kernel.errors import NotAllowed, NotFound, Refusal
from gengyun.tasks.actions import values
from gengyun.tasks.actions.pressing import mine
from gengyun.tasks.models import Task, TaskComment, TaskEvent
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import can, require

LONGEST = 5_000


class CommentEmpty(Refusal):
    code = "task_comment_empty"
    message = "There is nothing written yet."


@transaction.atomic
def comment(*, actor: User | None, now: datetime, task: Task, body: str) -> TaskComment:
    require(actor, "task.work")
    row = mine(actor, [task.pk])[0]
    made = TaskComment.objects.create(task=row, author=actor, body=_clean(body), created_at=now)
    TaskEvent.objects.create(task=row, at=now, actor=actor, kind=TaskEvent.Kind.COMMENTED)
    record(actor=actor, now=now, action="task.commented", obj=row)
    return made


@transaction.atomic
def edit_comment(
    *, actor: User | None, now: datetime, comment: TaskComment, body: str
) -> TaskComment:
    row, text = _own(actor, comment), _clean(body)
    if row.body != text:
        changes = {"body": [row.body, text]}
        row.body, row.edited_at = text, now
        row.save(update_fields=["body", "edited_at"])
        record(actor=actor, now=now, action="task.comment_edited", obj=row.task, changes=changes)
    return row


@transaction.atomic
def delete_comment(*, actor: User | None, now: datetime, comment: TaskComment) -> TaskComment:
    return _set_deleted(actor, now, comment, now)


@transaction.atomic
def restore_comment(*, actor: User | None, now: datetime, comment: TaskComment) -> TaskComment:
    """Undo of `delete_comment`."""
    return _set_deleted(actor, now, comment, None)


def _set_deleted(
    actor: User | None, now: datetime, comment: TaskComment, value: datetime | None
) -> TaskComment:
    row = _own(actor, comment)
    if (row.deleted_at is None) != (value is None):
        row.deleted_at = value
        row.save(update_fields=["deleted_at"])
        action = "task.comment_deleted" if value else "task.comment_restored"
        record(actor=actor, now=now, action=action, obj=row.task)
    return row


def _own(actor: User | None, comment: TaskComment) -> TaskComment:
    """The row, locked. Others' words are changed only by those who lead (and may assign)."""
    require(actor, "task.work")
    seen = Task.objects.visible_to(actor).filter(pk=comment.task_id)
    rows = TaskComment.objects.filter(pk=comment.pk, task__in=seen).select_related("task")
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    if actor is not None and row.author_id != actor.pk and not can(actor, "customer.assign"):
        raise NotAllowed
    return row


def _clean(body: str) -> str:
    text = values.clean_text(body, limit=LONGEST)
    if not text:
        raise CommentEmpty
    return text
