"""Taking back one press of a button, on however many alerts it was."""

from datetime import datetime

from django.db import transaction

from gengyun.alerts.actions.snapshots import thaw
from gengyun.alerts.actions.work import mine, tell
from gengyun.alerts.models import Alert, AlertEvent
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

# what may have come after without standing in the way
HARMLESS = (AlertEvent.Kind.EVIDENCE, AlertEvent.Kind.ESCALATED, AlertEvent.Kind.JOINED)


class CannotUndo(Refusal):
    code = "alert_cannot_undo"
    status = 409
    message = "Something else happened to the alert since; this can no longer be taken back."


@transaction.atomic
def undo(*, actor: User | None, now: datetime, batch: str) -> list[Alert]:
    """Everything of the batch goes back to how it was; all or nothing."""
    require(actor, "alert.work")
    events = AlertEvent.objects.filter(batch=batch, undone_at__isnull=True, before__isnull=False)
    if actor is not None:
        events = events.filter(actor=actor)
    rows = {event.alert_id: event for event in events.order_by("pk")} if batch else {}
    if not rows:
        raise NotFound
    alerts = mine(actor, rows)
    for alert in alerts:
        _check(alert, rows[alert.pk])
    # tickets before their parts, which look at them
    for alert in sorted(alerts, key=lambda one: (one.parent_id is not None, one.pk)):
        event = rows[alert.pk]
        assert event.before is not None  # noqa: S101 - filtered
        thaw(alert, event.before, now=now)
        event.undone_at = now
        event.save(update_fields=["undone_at"])
        AlertEvent.objects.create(
            alert=alert,
            at=now,
            actor=actor,
            kind=AlertEvent.Kind.UNDONE,
            detail={"kind": event.kind, "event": event.pk},
        )
    told = [(alert, {"undone": rows[alert.pk].kind}) for alert in alerts]
    record_many(actor=actor, now=now, action="alert.undone", changes=told)
    tell(alerts, now=now)
    return alerts


def _check(alert: Alert, event: AlertEvent) -> None:
    later = AlertEvent.objects.filter(alert=alert, pk__gt=event.pk).exclude(kind__in=HARMLESS)
    if later.filter(undone_at__isnull=True).exclude(kind=AlertEvent.Kind.UNDONE).exists():
        raise CannotUndo
    is_live = (event.before or {})["alert"]["state"] != Alert.State.CLOSED
    others = Alert.objects.open().filter(key=alert.key).exclude(pk=alert.pk)
    if is_live and others.exists():
        raise CannotUndo
