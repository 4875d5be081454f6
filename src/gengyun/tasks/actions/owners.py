"""Tasks go along: with the customer to its new owner, and into the arms of a merge."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from gengyun.tasks.actions.telling import tell
from gengyun.tasks.models import Task, TaskEvent
from gengyun.tasks.queries.roles import holders
from gengyun.tasks.queries.stakes import stakes_of

CHUNK = 500


@transaction.atomic
def follow_owners(*, customer_ids: Collection[int], now: datetime) -> int:
    """Open tasks of a role go to whoever holds it at the customer now; those given by hand stay.
    Returns how many moved."""
    ids = sorted(set(customer_ids))
    moved = 0
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        rows = Task.objects.open().filter(customer_id__in=part, is_assigned=False)
        by_role: dict[str, list[Task]] = {}
        for task in rows.exclude(role="").order_by("pk").select_for_update(of=("self",)):
            by_role.setdefault(task.role, []).append(task)
        for role, tasks in by_role.items():
            held = holders(role, [task.customer_id or 0 for task in tasks])
            moved += _give(tasks, held, now)
    return moved


def _give(tasks: list[Task], held: dict[int, int | None], now: datetime) -> int:
    changed, events = [], []
    for task in tasks:
        owner_id = held.get(task.customer_id or 0)
        if task.owner_id == owner_id:
            continue
        detail = {"owner": [task.owner_id, owner_id], "because": "customer"}
        task.owner_id, task.updated_at, task.is_new = owner_id, now, owner_id is not None
        changed.append(task)
        events.append(TaskEvent(task=task, at=now, kind=TaskEvent.Kind.ASSIGNED, detail=detail))
    Task.objects.bulk_update(changed, ["owner", "updated_at", "is_new"], batch_size=CHUNK)
    TaskEvent.objects.bulk_create(events, batch_size=CHUNK)
    tell(changed, now=now)
    return len(changed)


def refresh_stakes(*, now: datetime, customer_ids: Collection[int] | None = None) -> int:
    """What is at stake at the customers of open tasks, anew; returns how many tasks changed."""
    rows = Task.objects.open().filter(customer__isnull=False)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=list(customer_ids))
    wanted = sorted({pk for pk in rows.values_list("customer_id", flat=True) if pk is not None})
    changed = 0
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        found = stakes_of(part)
        with transaction.atomic():
            tasks = [
                task
                for task in Task.objects.open().filter(customer_id__in=part)
                if task.stake_minor != found.get(task.customer_id or 0)
            ]
            for task in tasks:
                task.stake_minor = found.get(task.customer_id or 0)
            Task.objects.bulk_update(tasks, ["stake_minor"], batch_size=CHUNK)
        changed += len(tasks)
    return changed
