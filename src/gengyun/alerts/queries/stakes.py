"""What alerts of equal urgency are ranked by: churn probability times amount (science.md 5.3)."""

from collections.abc import Collection

from gengyun.alerts.queries.odds import FEW, forecasts_now, next_due
from gengyun.churn.calc.standards import OTHER_TIER
from gengyun.churn.queries.settings import base_rates_in_force, current
from gengyun.customers.models import Customer


def stakes(customer_ids: Collection[int]) -> dict[int, int]:
    """As `known_stakes`; unknown amounts count as 0."""
    return dict.fromkeys(sorted(set(customer_ids)), 0) | known_stakes(customer_ids)


def known_stakes(customer_ids: Collection[int]) -> dict[int, int]:
    """Customer -> expected loss in the minor unit: of what comes due next, or, where nothing is
    forecast, its ARR at the base rate of its tier. Absent: neither amount is known."""
    ids = sorted(set(customer_ids))
    rates = base_rates_in_force(current())
    found: dict[int, int] = {}
    for start in range(0, len(ids), FEW):
        part = ids[start : start + FEW]
        rows = Customer.objects.filter(pk__in=part).values_list("pk", "arr_minor", "tier__key")
        for pk, arr, tier in rows:
            if arr is not None:
                rate = rates.get(tier or OTHER_TIER, rates[OTHER_TIER]).rate
                found[pk] = round(rate * arr)
        for pk, one in next_due(forecasts_now(part)).items():
            p, amount = one.probability, one.amount_minor
            if p is not None and amount is not None:
                found[pk] = round(p * amount)
    return found
