"""What a line of another list says of a customer's health, without the long texts beside it."""

from collections.abc import Iterable
from typing import NamedTuple

from gengyun.portfolio.models import CustomerSummary


class HealthMark(NamedTuple):
    score: float | None
    band: str
    coverage: float | None


def health_marks(customer_ids: Iterable[int]) -> dict[int, HealthMark]:
    """Customers without a summary are left out."""
    rows = CustomerSummary.objects.filter(pk__in=set(customer_ids)).order_by()
    found = rows.values_list("pk", "score", "band", "coverage")
    return {pk: HealthMark(score, band, coverage) for pk, score, band, coverage in found}
