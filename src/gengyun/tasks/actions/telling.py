"""Other packages follow what happens to tasks."""

from collections.abc import Iterable
from datetime import datetime

from gengyun.kernel.outbox import emit
from gengyun.tasks.models import Task

CHUNK = 500


def tell(tasks: Iterable[Task], *, now: datetime) -> None:
    """Call it inside the transaction of the change."""
    rows = {task.pk: task for task in tasks}
    ids = sorted(rows)
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        customers = {rows[pk].customer_id for pk in part}
        told = {"task_ids": part, "customer_ids": sorted(pk for pk in customers if pk is not None)}
        emit("task.changed", told, now=now)
