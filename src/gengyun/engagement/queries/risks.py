"""Risks that were known at a moment and not over."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from gengyun.engagement.models import Risk

FEW = 2_000


def risks_at(moment: datetime, *, customer_ids: Collection[int] | None = None) -> list[Risk]:
    """Known before `moment`, neither settled nor taken back by then; oldest first."""
    rows = Risk.objects.filter(known_at__lt=moment).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=moment)
    )
    if customer_ids is not None and len(customer_ids) <= FEW:
        rows = rows.filter(customer_id__in=list(customer_ids))
    wanted = None if customer_ids is None else frozenset(customer_ids)
    ordered = rows.order_by("happened_on", "pk")
    return [row for row in ordered if wanted is None or row.customer_id in wanted]


def of_customer(customer_id: int, *, limit: int = 20) -> list[Risk]:
    """Those that go on first, then what is over; newest first. What was a mistake is left out."""
    rows = Risk.objects.filter(customer_id=customer_id).exclude(end=Risk.End.MISTAKEN)
    found = list(rows.select_related("author", "ended_by").order_by("-happened_on", "-pk")[:limit])
    return sorted(found, key=lambda one: one.ended_at is not None)
