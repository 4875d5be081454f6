"""What hangs on tasks: comments, files, the log."""

from collections.abc import Collection

from django.db.models import Count

from gengyun.kernel.errors import NotFound
from gengyun.tasks.models import Task, TaskComment, TaskEvent, TaskFile
from gengyun.team.models import User


def comments_of(task: Task) -> list[TaskComment]:
    rows = TaskComment.objects.filter(task=task, deleted_at__isnull=True)
    return list(rows.select_related("author"))


def files_of(task: Task) -> list[TaskFile]:
    rows = TaskFile.objects.filter(task=task, removed_at__isnull=True)
    return list(rows.select_related("added_by"))


def events_of(task: Task, *, limit: int = 100) -> list[TaskEvent]:
    """Oldest first; the newest `limit` of them."""
    rows = TaskEvent.objects.filter(task=task).select_related("actor")
    return list(rows.order_by("-at", "-pk")[:limit])[::-1]


def marks_of(tasks: Collection[Task]) -> dict[int, tuple[int, int]]:
    """Task -> (comments, files), where there are any."""
    ids = [task.pk for task in tasks]
    said = TaskComment.objects.filter(task_id__in=ids, deleted_at__isnull=True)
    kept = TaskFile.objects.filter(task_id__in=ids, removed_at__isnull=True)
    comments = dict(said.order_by().values_list("task_id").annotate(n=Count("pk")))
    files = dict(kept.order_by().values_list("task_id").annotate(n=Count("pk")))
    found = comments.keys() | files.keys()
    return {pk: (comments.get(pk, 0), files.get(pk, 0)) for pk in found}


def get_comment(actor: User | None, task_id: int, pk: int) -> TaskComment:
    seen = Task.objects.visible_to(actor).filter(pk=task_id)
    found = TaskComment.objects.filter(pk=pk, task__in=seen).first()
    if found is None:
        raise NotFound
    return found


def get_file(actor: User | None, task_id: int, pk: int) -> TaskFile:
    """Removed ones too: they can be brought back."""
    seen = Task.objects.visible_to(actor).filter(pk=task_id)
    found = TaskFile.objects.filter(pk=pk, task__in=seen).first()
    if found is None:
        raise NotFound
    return found
