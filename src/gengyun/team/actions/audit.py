"""Writing the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models

from gengyun.team.models import AuditEntry, User


def record(
    *,
    actor: User | None,
    now: datetime,
    action: str,
    obj: models.Model,
    changes: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one audit row. Call it inside the transaction of the change it tells of."""
    return AuditEntry.objects.create(
        at=now,
        actor=actor,
        action=action,
        object_type=obj._meta.label_lower,  # noqa: SLF001 - Django's documented name
        object_id=str(obj.pk),
        object_label=str(obj)[:200],
        changes=dict(changes or {}),
    )
