"""Writing the audit log."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models

from gengyun.kernel import rows
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
    entry = AuditEntry(**_entry(actor, now, action, obj, changes or {}))
    entry.save(force_insert=True)
    return entry


def record_many(
    *,
    actor: User | None,
    now: datetime,
    action: str,
    changes: Iterable[tuple[models.Model, Mapping[str, Any]]],
) -> None:
    """One audit row per object, written in bulk, in the transaction of the changes."""
    entries = [_entry(actor, now, action, obj, what) for obj, what in changes]
    if entries:
        rows.insert_values(AuditEntry, list(entries[0]), [tuple(one.values()) for one in entries])


def _entry(
    actor: User | None, now: datetime, action: str, obj: models.Model, changes: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "at": now,
        "actor_id": actor.pk if actor is not None else None,
        "action": action,
        "object_type": obj._meta.label_lower,  # noqa: SLF001 - Django's documented name
        "object_id": str(obj.pk),
        "object_label": str(obj)[:200],
        "changes": {name: _plain(pair) for name, pair in changes.items()},
    }


def _plain(value: Any) -> Any:
    """Days and instants as ISO text: the log is JSON."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
