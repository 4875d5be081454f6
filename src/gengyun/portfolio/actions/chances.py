"""What the churn model says of renewals goes into their rows: estimates from experience do not."""

from collections.abc import Sequence

from gengyun.churn.models import ChurnForecast
from gengyun.portfolio.queries.churn import ESTIMATE
from gengyun.revenue.actions.chances import take_chances


def follow_chances(*, customer_ids: Sequence[int] | None = None) -> int:
    """Of all customers, or of some; returns how many renewals were written."""
    learned = ChurnForecast.objects.filter(probability__isnull=False, model__isnull=False)
    return take_chances(learned.exclude(model__rung=ESTIMATE), customer_ids=customer_ids)
