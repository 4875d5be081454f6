"""Reading the audit log."""

from datetime import date
from typing import Any

from django.db import models
from django.db.models import QuerySet

from gengyun.kernel.days import start_of
from gengyun.team.models import AuditEntry, User
from gengyun.team.queries.access import require


def entries(
    actor: User,
    *,
    of: User | None = None,
    action: str = "",
    object_type: str = "",
    text: str = "",
    start: date | None = None,
    end: date | None = None,
) -> QuerySet[AuditEntry]:
    """Newest first; `action` is a verb or the part before its dot; the days are [start, end)."""
    require(actor, "audit.read")
    found = AuditEntry.objects.select_related("actor")
    if of is not None:
        found = found.filter(actor=of)
    if action:
        found = found.filter(action__startswith=action)
    if object_type:
        found = found.filter(object_type=object_type)
    if text:
        found = found.filter(object_label__icontains=text)
    if start is not None:
        found = found.filter(at__gte=start_of(start))
    if end is not None:
        found = found.filter(at__lt=start_of(end))
    return found


def entries_of(obj: models.Model, *, limit: int = 50) -> list[AuditEntry]:
    """What happened to one object, newest first. The caller has found the object as the actor."""
    found: Any = AuditEntry.objects.select_related("actor").filter(
        object_type=obj._meta.label_lower,  # noqa: SLF001 - Django's documented name
        object_id=str(obj.pk),
    )
    return list(found[:limit])


def actions() -> list[str]:
    """Every verb that stands in the log, for a filter's choices."""
    found = AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct()
    return list(found)
