"""Where a customer stands among the others of its tier."""

from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import User


def rank_in_tier(actor: User | None, row: CustomerSummary) -> tuple[int, int] | None:
    """(place, of how many) by score among the customers of the tier that the actor sees."""
    if row.score is None or row.tier_id is None:
        return None
    peers = CustomerSummary.objects.visible_to(actor).filter(
        tier_id=row.tier_id, score__isnull=False
    )
    # two counts along the index instead of one over the rows
    return peers.filter(score__gt=row.score).order_by().count() + 1, peers.order_by().count()
