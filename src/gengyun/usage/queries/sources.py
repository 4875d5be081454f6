"""Sources, what arrived lately, and what waits in quarantine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet

from gengyun.usage.models import Arrival, QuarantinedEvent, Source, WriteKey


@dataclass(frozen=True)
class Waiting:
    """Quarantined events of one reason (and customer id) of a source."""

    reason: str
    group_id: str  # "" where the reason is not about one customer
    count: int
    first_at: datetime
    last_at: datetime


def sources() -> QuerySet[Source]:
    """All sources by name."""
    return Source.objects.order_by("name", "pk")


def keys(source: Source) -> QuerySet[WriteKey]:
    """Valid keys first, then revoked ones, newest first."""
    return source.keys.order_by(F("revoked_at").asc(nulls_first=True), "-created_at", "-pk")


def arrivals(source: Source, *, limit: int = 50, after_pk: int = 0) -> list[Arrival]:
    """The latest events of a source, newest first; `after_pk`: only what came since."""
    rows = Arrival.objects.filter(source=source, pk__gt=after_pk).select_related("customer")
    return list(rows.order_by("-pk")[:limit])


def quarantine(source: Source, *, reason: str | None = None) -> QuerySet[QuarantinedEvent]:
    """Waiting events, newest first."""
    rows = QuarantinedEvent.objects.filter(source=source, replayed_at=None)
    if reason:
        rows = rows.filter(reason=reason)
    return rows.order_by("-received_at", "-pk")


def waiting(source: Source | None = None) -> list[Waiting]:
    """What waits, by reason and customer id, the most first."""
    rows: Any = QuarantinedEvent.objects.filter(replayed_at=None)
    if source is not None:
        rows = rows.filter(source=source)
    groups = (
        rows.order_by()
        .values("reason", "group_id")
        .annotate(count=Count("pk"), first_at=Min("received_at"), last_at=Max("received_at"))
        .order_by("-count", "reason", "group_id")
    )
    return [Waiting(**group) for group in groups]
