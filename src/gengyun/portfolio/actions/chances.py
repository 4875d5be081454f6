"""What the churn model says of renewals goes into their rows: estimates from experience do not."""

from collections.abc import Sequence

from gengyun.churn.models import ChurnForecast
from gengyun.churn.queries.settings import current, thresholds_in_force
from gengyun.portfolio.queries.churn import ESTIMATE
from gengyun.revenue.actions.chances import take_chances
from gengyun.revenue.queries.chances import register_threshold


def follow_chances(*, customer_ids: Sequence[int] | None = None) -> int:
    """Of all customers, or of some; returns how many renewals were written."""
    learned = ChurnForecast.objects.filter(probability__isnull=False, model__isnull=False)
    return take_chances(learned.exclude(model__rung=ESTIMATE), customer_ids=customer_ids)


def disagreement() -> float:
    """From how far a category and a probability are a disagreement, as the company chose it."""
    return thresholds_in_force(current())["disagreement_points"].value / 100


register_threshold(disagreement)
