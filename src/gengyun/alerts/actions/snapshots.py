"""An alert and its episodes as they were: what an undo puts back."""

from datetime import date, datetime
from typing import Any

from django.db import models

from gengyun.alerts.models import Alert, Episode

ALERT = [
    "state",
    "owner_id",
    "is_assigned",
    "responded_at",
    "responded_by_id",
    "snoozed_until",
    "snooze_reason",
    "closed_at",
    "closed_by_id",
    "close_reason",
    "verdict",
    "cause_id",
    "was_it_us",
    "note",
]
EPISODE = [
    "state",
    "end",
    "closed_on",
    "cleared_on",
    "close_severity",
    "close_value",
    "exit_count",
]


def freeze(alert: Alert) -> dict[str, Any]:
    """JSON of the fields that people's actions change."""
    return {
        "alert": _values(alert, ALERT),
        "episodes": {str(e.pk): _values(e, EPISODE) for e in alert.episodes.all()},
    }


def thaw(alert: Alert, frozen: dict[str, Any], *, now: datetime) -> None:
    """Put the fields back and save; episodes that came later stay as they are."""
    _put(alert, frozen["alert"])
    leave_closed_parent(alert)
    alert.updated_at = now
    alert.save()
    for episode in Episode.objects.filter(pk__in=[int(pk) for pk in frozen["episodes"]]):
        _put(episode, frozen["episodes"][str(episode.pk)])
        episode.updated_at = now
        episode.save()


def leave_closed_parent(alert: Alert) -> None:
    """A part that is open again while its ticket is closed would be seen by nobody."""
    parent = alert.parent
    if alert.state != Alert.State.CLOSED and parent and parent.state == Alert.State.CLOSED:
        alert.parent = None


def _values(row: models.Model, names: list[str]) -> dict[str, Any]:
    found = {}
    for name in names:
        value = getattr(row, name)
        found[name] = value.isoformat() if isinstance(value, date | datetime) else value
    return found


def _put(row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        field = row._meta.get_field(name.removesuffix("_id"))  # noqa: SLF001 - documented name
        if isinstance(value, str) and isinstance(field, models.DateField):
            is_instant = isinstance(field, models.DateTimeField)
            value = datetime.fromisoformat(value) if is_instant else date.fromisoformat(value)  # noqa: PLW2901
        setattr(row, name, value)
