"""From which churn probability on there is an alert, tier by tier, and where that comes from."""

from dataclasses import dataclass

from django.db.models import F

from gengyun.alerts.models import ChurnMark
from gengyun.churn.queries.settings import current, thresholds_in_force
from gengyun.customers.models import Tier

NO_TIER = -1
OF_TIER = "tier:"  # key of a threshold that an administrator chose for a tier


@dataclass(frozen=True)
class MarkRow:
    """`mark`: set by the budget (None: no forecasts yet); `chosen`: what a person set instead."""

    tier: Tier | None
    mark: ChurnMark | None
    chosen: float | None
    source: str

    @property
    def value(self) -> float | None:
        if self.chosen is not None:
            return self.chosen
        return self.mark.value if self.mark else None


def mark_rows() -> list[MarkRow]:
    """Every tier in order, then customers without one."""
    rows = {row.tier_id: row for row in ChurnMark.objects.order_by("pk")}
    chosen = thresholds_in_force(current())
    found = []
    tiers: list[Tier | None] = [*Tier.objects.order_by(F("position").asc(), "pk"), None]
    for tier in tiers:
        said = chosen.get(OF_TIER + (tier.key if tier else ""))
        found.append(
            MarkRow(
                tier,
                rows.get(tier.pk if tier else None),
                said.value if said else None,
                said.source if said else "",
            )
        )
    return found


def marks_in_force() -> dict[int, float]:
    """Tier id (NO_TIER: none) -> mark; a tier of which nothing is known is left out."""
    return {
        row.tier.pk if row.tier else NO_TIER: row.value
        for row in mark_rows()
        if row.value is not None
    }
