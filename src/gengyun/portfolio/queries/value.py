"""What customers are worth, as an actor sees them: by segment, and the most valuable ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet, Sum

from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.calc.life_curves import Step, steps
from gengyun.revenue.models import ForecastRun
from gengyun.revenue.queries.customer_value import COMPANY
from gengyun.revenue.queries.odds import NO_TIER
from gengyun.team.models import User

SHOWN = 30
SEGMENTS = {"tier": "tier_id", "owner": "owner_id", "industry": "industry", "region": "region"}
SHOWN_STEPS = 6


@dataclass(frozen=True)
class Segment:
    """Amounts in the base currency but ARR, which is in the customers' own."""

    key: Any
    customers: int
    valued: int  # of whom something can be said
    total_minor: int
    churn: float | None  # mean probability of those that have one


@dataclass(frozen=True)
class Curve:
    tier_id: int | None  # None: the whole company
    lives: int
    alpha: float
    beta: float
    steps: Sequence[Step]


def in_scope(actor: User | None, *, is_mine: bool) -> QuerySet[CustomerSummary]:
    rows = CustomerSummary.objects.visible_to(actor)
    return rows.filter(owner=actor) if is_mine else rows


def segments(rows: QuerySet[CustomerSummary], by: str) -> list[Segment]:
    """The largest first. `by`: a key of SEGMENTS."""
    column = SEGMENTS[by]
    found = (
        rows.order_by()
        .values_list(column)
        .annotate(
            customers=Count("pk"),
            valued=Count("ltv_minor"),
            total=Sum("ltv_minor"),
            churn=Avg("churn"),
        )
    )
    made = [
        Segment(key, count, valued, total or 0, churn) for key, count, valued, total, churn in found
    ]
    return sorted(made, key=lambda one: (-one.total_minor, str(one.key)))


def together(rows: QuerySet[CustomerSummary]) -> Segment:
    found = rows.aggregate(
        customers=Count("pk"), valued=Count("ltv_minor"), total=Sum("ltv_minor"), churn=Avg("churn")
    )
    return Segment(None, found["customers"], found["valued"], found["total"] or 0, found["churn"])


def at_risk_minor(rows: QuerySet[CustomerSummary], least: float) -> int:
    """LTV of customers whose churn probability is at least that much."""
    found = rows.filter(churn__gte=least).aggregate(total=Sum("ltv_minor"))
    return int(found["total"] or 0)


def most_valuable(rows: QuerySet[CustomerSummary], count: int = SHOWN) -> list[CustomerSummary]:
    known = rows.filter(ltv_minor__isnull=False).select_related("tier", "owner")
    return list(known.order_by(F("ltv_minor").desc(), "-pk")[:count])


def curves() -> list[Curve]:
    """As the newest weekly run learned them: the company, then tiers that are large enough."""
    odds = ForecastRun.objects.order_by("-as_of").values_list("odds", flat=True).first() or {}
    found = []
    for key, curve in sorted((odds.get("curves") or {}).items()):
        if "left" not in curve:
            continue
        tier_id = None if key == COMPANY else int(key)
        if tier_id == NO_TIER:
            continue
        alpha, beta = curve["alpha"], curve["beta"]
        walked = steps(curve["left"], curve["staying"], alpha, beta)[:SHOWN_STEPS]
        found.append(Curve(tier_id, curve["lives"], alpha, beta, walked))
    return found


def unknown(rows: QuerySet[CustomerSummary]) -> int:
    return rows.filter(Q(ltv_minor__isnull=True)).count()
