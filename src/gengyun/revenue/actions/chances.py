"""Renewals take over what a churn model says of them, so that a list can be ordered by it."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from gengyun.revenue.models import Renewal, RenewalState

CHUNK = 500


@transaction.atomic
def take_chances(source: QuerySet[Any], *, customer_ids: Sequence[int] | None = None) -> int:
    """`source`: rows with `renewal`, `probability` and `as_of`, one for a renewal at most.

    Open renewals without a row know nothing afterwards. Returns how many were written; repeated,
    nothing changes. No change is kept: every forecast is, with its model, where it comes from.
    """
    mine = source.filter(renewal=OuterRef("pk")).order_by()
    values = {
        "churn_probability": Subquery(mine.values("probability")[:1]),
        "churn_on": Subquery(mine.values("as_of")[:1]),
    }
    rows = Renewal.objects.filter(state=RenewalState.OPEN)
    if customer_ids is None:
        return rows.update(**values)
    return sum(
        rows.filter(customer_id__in=customer_ids[start : start + CHUNK]).update(**values)
        for start in range(0, len(customer_ids), CHUNK)
    )
