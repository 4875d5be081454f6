"""Whose work an alert is: the customer's owner, unless it was given to somebody by hand."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F

from gengyun.alerts.actions.books import chunks
from gengyun.alerts.models import Alert, AlertEvent


@transaction.atomic
def follow_owners(*, customer_ids: Collection[int], now: datetime) -> int:
    """Open alerts of customers that were given to somebody else go along."""
    moved = []
    for part in chunks(customer_ids):
        rows = Alert.objects.open().filter(customer_id__in=part, is_assigned=False)
        changed = rows.exclude(owner_id=F("customer__owner_id")) | rows.filter(
            owner__isnull=True, customer__owner__isnull=False
        )
        for alert in changed.select_related("customer").select_for_update(of=("self",)):
            owner_id = alert.customer.owner_id if alert.customer else None
            if alert.owner_id == owner_id:
                continue
            detail = {"owner": [alert.owner_id, owner_id], "because": "customer"}
            alert.owner_id, alert.updated_at = owner_id, now
            alert.save(update_fields=["owner", "updated_at"])
            moved.append(
                AlertEvent(alert=alert, at=now, kind=AlertEvent.Kind.ASSIGNED, detail=detail)
            )
    AlertEvent.objects.bulk_create(moved)
    return len(moved)
