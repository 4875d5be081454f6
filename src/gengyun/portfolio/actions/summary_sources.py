"""What summary rows are made of, read in plain tuples: a night reads it of everybody, and models
with their texts taken apart the usual way are half of its time."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from django.db.models import F, OuterRef, Subquery, TextField
from django.db.models.functions import Cast

from gengyun.customers.models import Customer, Stage, Tier
from gengyun.engagement.models import Activity
from gengyun.health.models import HealthScore
from gengyun.portfolio.models import CustomerSummary

SILENT_KINDS = (Activity.Kind.NOTE, Activity.Kind.SYSTEM)


class Source(NamedTuple):
    """A customer with its newest touch; notes to ourselves are none."""

    pk: int
    name: str
    external_id: str
    industry: str
    region: str
    owner_id: int | None
    tier_id: int | None
    stage_id: int | None
    stage_since: date | None
    arr_minor: int | None
    currency: str
    seats: int | None
    renews_on: date | None
    next_step: str
    next_step_on: date | None
    started_on: date | None
    known_at: datetime
    touch_at: datetime | None
    touch_kind: str | None
    tier: Tier | None
    stage: Stage | None


class Scored(NamedTuple):
    """`HealthScore` as far as a summary repeats it."""

    as_of: date
    score: float | None
    band: str
    coverage: float
    trend: str
    explanation: dict[str, Any]
    history: list[tuple[str, float | None]]
    week_ago: dict[str, Any] | None


class Kept(NamedTuple):
    """Of the row before: what a new one goes on from."""

    search_key: str
    active_users_7d: int | None
    active_change: float | None
    last_event_on: date | None
    ltv_minor: int | None
    ltv_low_minor: int | None
    ltv_high_minor: int | None
    churn_change: float | None
    needs: list[Any]


_OWN = Source._fields[:-4]
_TEXTS = ("explanation", "history", "week_ago")


def sources_of(
    ids: Sequence[int], tiers: Mapping[int, Tier], stages: Mapping[int, Stage]
) -> list[Source]:
    """With the few tiers and stages that there are, instead of a copy beside every customer."""
    touches = (
        Activity.objects.present()
        .filter(customer=OuterRef("pk"))
        .exclude(kind__in=SILENT_KINDS)
        .order_by("-happened_at", "-pk")
    )
    newest = (Subquery(touches.values(name)[:1]) for name in ("happened_at", "kind"))
    rows = Customer.objects.present().filter(pk__among=ids).order_by()
    tier, stage = _OWN.index("tier_id"), _OWN.index("stage_id")
    return [
        Source._make((*row, tiers.get(row[tier] or 0), stages.get(row[stage] or 0)))
        for row in rows.values_list(*_OWN, *newest)
    ]


def scores_of(ids: Sequence[int]) -> dict[int, Scored]:
    rows = HealthScore.objects.filter(pk__among=ids).order_by()
    texts = [Cast(F(name), TextField()) for name in _TEXTS]
    plain = Scored._fields[: -len(_TEXTS)]
    return {
        pk: Scored._make([*values, *(text and _read(text) for text in read)])
        for pk, *values, read in (
            (*row[: len(plain) + 1], row[len(plain) + 1 :])
            for row in rows.values_list("pk", *plain, *texts)
        )
    }


def kept_of(ids: Sequence[int]) -> dict[int, Kept]:
    rows = CustomerSummary.objects.filter(pk__among=ids).order_by()
    needs = Cast(F("needs"), TextField())
    found = rows.values_list("pk", *Kept._fields[:-1], needs)
    return {row[0]: Kept._make((*row[1:-1], _read(row[-1]))) for row in found}


_read = msgspec.json.Decoder().decode
