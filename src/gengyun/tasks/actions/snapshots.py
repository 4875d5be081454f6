"""A task as it was: what an undo puts back."""

from datetime import date, datetime
from typing import Any

from django.db import models

from gengyun.tasks.models import Task

FIELDS = (
    "title",
    "body",
    "customer_id",
    "contact_id",
    "owner_id",
    "is_assigned",
    "is_new",
    "state",
    "priority",
    "due_on",
    "started_at",
    "snoozed_until",
    "done_at",
    "done_by_id",
    "result",
    "worth_minor",
    "stake_minor",
)


def freeze(task: Task) -> dict[str, Any]:
    """JSON of the fields that people change."""
    return {name: plain(getattr(task, name)) for name in FIELDS}


def thaw(task: Task, frozen: dict[str, Any]) -> None:
    """Put the fields back; the caller saves."""
    for name in FIELDS:
        if name not in frozen:
            continue  # frozen before there was such a field
        value = frozen[name]
        field = Task._meta.get_field(name.removesuffix("_id"))  # noqa: SLF001 - documented name
        if isinstance(value, str) and isinstance(field, models.DateField):
            is_instant = isinstance(field, models.DateTimeField)
            value = datetime.fromisoformat(value) if is_instant else date.fromisoformat(value)
        setattr(task, name, value)


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
