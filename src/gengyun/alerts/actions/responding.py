"""Talking with the customer answers its alerts: nobody has to press a button for it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from gengyun.alerts.actions.books import chunks
from gengyun.alerts.models import Alert, AlertEvent
from gengyun.engagement.models import Activity


@transaction.atomic
def note_responses(*, customer_ids: Collection[int], now: datetime) -> int:
    """Alerts without a response whose customer was talked with after they opened. A note to
    ourselves is no contact; what a file brought in counts like what was typed."""
    events = []
    for part in chunks(customer_ids):
        waiting = Alert.objects.filter(
            customer_id__in=part, state=Alert.State.OPEN, responded_at__isnull=True
        )
        for alert in waiting.order_by("pk").select_for_update():
            talk = _first_talk(alert.customer_id, alert.opened_at) if alert.customer_id else None
            if talk is None:
                continue
            alert.responded_at, alert.responded_by = talk.happened_at, talk.author
            alert.updated_at = now
            alert.save(update_fields=["responded_at", "responded_by", "updated_at"])
            events.append(
                AlertEvent(
                    alert=alert,
                    at=now,
                    actor=talk.author,
                    kind=AlertEvent.Kind.RESPONDED,
                    detail={"activity": talk.pk, "kind": talk.kind},
                )
            )
    AlertEvent.objects.bulk_create(events)
    return len(events)


def _first_talk(customer_id: int, since: datetime) -> Activity | None:
    silent = (Activity.Kind.NOTE, Activity.Kind.SYSTEM)
    found = Activity.objects.present().filter(customer_id=customer_id, happened_at__gte=since)
    return found.exclude(kind__in=silent).order_by("happened_at", "pk").first()
