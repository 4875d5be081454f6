"""What the forecast said on a Monday, row by row: who held which renewal, in which tier."""

from datetime import date, timedelta

from django.db import transaction

from gengyun.revenue.calc.chances import is_fresh
from gengyun.revenue.models import Renewal, RenewalSnapshot, RenewalState

AHEAD = 400  # days; what comes due later is not forecast yet
BATCH = 2_000
COLUMNS = (
    "pk", "category", "forecast_minor", "due_minor", "due_on", "customer__owner_id",
    "customer__tier_id", "churn_probability", "churn_on",
)  # fmt: skip


@transaction.atomic
def take_snapshot(*, as_of: date) -> int:
    """The open renewals of the Monday of `as_of`'s week; once a week, further calls do nothing."""
    monday = as_of - timedelta(days=as_of.weekday())
    if RenewalSnapshot.objects.filter(as_of=monday).exists():
        return 0
    rows = Renewal.objects.filter(
        state=RenewalState.OPEN, due_on__lte=monday + timedelta(days=AHEAD)
    ).order_by("pk")
    made = 0
    batch: list[RenewalSnapshot] = []
    for pk, category, forecast, due, due_on, owner_id, tier_id, chance, chance_on in (
        rows.values_list(*COLUMNS).iterator(chunk_size=BATCH)
    ):  # fmt: skip
        batch.append(
            RenewalSnapshot(
                as_of=monday, renewal_id=pk, category=category, forecast_minor=forecast,
                due_minor=due, owner_id=owner_id, tier_id=tier_id,
                probability=chance if is_fresh(chance_on, as_of, due_on) else None,
            )
        )  # fmt: skip
        if len(batch) == BATCH:
            made += len(RenewalSnapshot.objects.bulk_create(batch, ignore_conflicts=True))
            batch = []
    return made + len(RenewalSnapshot.objects.bulk_create(batch, ignore_conflicts=True))
