"""What people had said by a moment: sentiment and overrides; the newest decides."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from gengyun.health.calc import manual
from gengyun.health.calc.score import OverridePart
from gengyun.health.models import HealthOverride, Sentiment
from gengyun.kernel.days import day_of, start_of

FEW = 500


def sentiments_as_of(
    as_of: date,
    *,
    customer_ids: Collection[int] | None = None,
    moment: datetime | None = None,
) -> dict[int, Sentiment]:
    """Customer -> the sentiment that counts on the day, as known before it (or at `moment`).

    The newest that was not taken back decides, also when it has expired: an older one never comes
    back to life because the newer was short-lived.
    """
    return _newest(Sentiment.objects.all(), as_of, customer_ids, moment)


def overrides_as_of(
    as_of: date,
    *,
    customer_ids: Collection[int] | None = None,
    moment: datetime | None = None,
) -> dict[int, HealthOverride]:
    """Customer -> the override that counts on the day, as known before it (or at `moment`)."""
    rows = HealthOverride.objects.select_related("author")
    return _newest(rows, as_of, customer_ids, moment)


def _newest(
    rows: QuerySet[Any],
    as_of: date,
    customer_ids: Collection[int] | None,
    moment: datetime | None,
) -> dict[int, Any]:
    moment = moment or start_of(as_of)
    rows = rows.filter(known_at__lt=moment).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=moment)
    )
    if customer_ids is not None and len(customer_ids) <= FEW:
        rows = rows.filter(customer_id__in=list(customer_ids))
    found: dict[int, Any] = {}
    for row in rows.order_by("known_at", "pk"):
        found[row.customer_id] = row
    return {pk: row for pk, row in found.items() if row.valid_until >= as_of}


def expired_sentiments(
    customer_ids: Collection[int], *, today: date, within_days: int = 60
) -> dict[int, tuple[int, date]]:
    """Customer -> level and last day of the newest sentiment, where that has run out lately."""
    newest: dict[int, Sentiment] = {}
    rows = Sentiment.objects.filter(customer_id__in=list(customer_ids), ended_at=None)
    for row in rows.order_by("known_at", "pk"):
        newest[row.customer_id] = row
    return {
        pk: (row.level, row.valid_until)
        for pk, row in newest.items()
        if today - timedelta(days=within_days) <= row.valid_until < today
    }


def manual_inputs(sentiments: Mapping[int, Sentiment], customer_id: int) -> dict[str, float]:
    """What people said, as inputs of a score beside the metrics."""
    found = sentiments.get(customer_id)
    return {} if found is None else {manual.SENTIMENT: float(found.level)}


def override_part(row: HealthOverride | None) -> OverridePart | None:
    if row is None:
        return None
    return {
        "id": row.pk,
        "mode": row.mode,
        "points": row.points,
        "reason": row.reason,
        "author": row.author.name if row.author else "",
        "since": day_of(row.known_at).isoformat(),
        "until": row.valid_until.isoformat(),
    }


def said_since(moment: datetime) -> set[int]:
    """Customers about whom something was said or taken back since a moment."""
    found: set[int] = set()
    since = Q(known_at__gte=moment) | Q(ended_at__gte=moment)
    for rows in (Sentiment.objects, HealthOverride.objects):
        found.update(rows.filter(since).values_list("customer_id", flat=True))
    return found


def counting(
    rows: Collection[Sentiment | HealthOverride], as_of: date
) -> tuple[Sentiment | None, HealthOverride | None]:
    """Of a customer's history, newest first: what counts now, by the rule of `sentiments_as_of`."""
    live = [row for row in rows if row.ended_at is None]
    sentiment = next((row for row in live if isinstance(row, Sentiment)), None)
    override = next((row for row in live if isinstance(row, HealthOverride)), None)
    return (
        sentiment if sentiment and sentiment.valid_until >= as_of else None,
        override if override and override.valid_until >= as_of else None,
    )


def history_of(customer_id: int, *, limit: int = 20) -> list[Sentiment | HealthOverride]:
    """Everything people said of a customer's health, newest first."""
    sentiments = Sentiment.objects.filter(customer_id=customer_id).select_related("author")
    overrides = HealthOverride.objects.filter(customer_id=customer_id).select_related("author")
    rows: list[Sentiment | HealthOverride] = [*sentiments[:limit], *overrides[:limit]]
    return sorted(rows, key=lambda row: row.known_at, reverse=True)[:limit]
