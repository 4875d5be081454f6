"""Fields of customers with contracts are written by the contracts alone."""

from collections.abc import Collection

from gengyun.customers.actions.governed import register
from gengyun.revenue.actions.customer_fields import FIELDS
from gengyun.revenue.models import Line

FEW = 2_000


def with_lines(customer_ids: Collection[int]) -> set[int]:
    """Those of the customers that have lines."""
    found: set[int] = set()
    ids = sorted(customer_ids)
    for start in range(0, len(ids), FEW):
        rows = Line.objects.filter(customer_id__in=ids[start : start + FEW])
        found.update(rows.filter(voided_at__isnull=True).values_list("customer_id", flat=True))
    return found


register("contracts", FIELDS, with_lines)
