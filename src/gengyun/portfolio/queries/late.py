"""Customers that stay in their stage for longer than its longest days."""

from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import User


def longest_stuck(actor: User | None, *, limit: int) -> list[CustomerSummary]:
    """Those since when is longest ago first; amounts decide between equals."""
    rows = CustomerSummary.objects.visible_to(actor).filter(pace="stuck")
    rows = rows.select_related("stage", "owner").order_by("stage_since", "-arr_minor", "pk")
    return list(rows[:limit])
