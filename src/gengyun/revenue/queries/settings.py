"""The settings of revenue, with what holds where nobody chose."""

from dataclasses import replace
from typing import cast

from gengyun.revenue.calc.normalise import ArrPolicy, Discounts, Term, Usage
from gengyun.revenue.calc.policies import DEFAULT, Policy, PolicyUnknown, choose
from gengyun.revenue.calc.terms import ChurnDate
from gengyun.revenue.models import RevenueSettings, Spend


def current() -> RevenueSettings:
    """The one row, or the defaults: reading never writes."""
    return RevenueSettings.objects.filter(pk=1).first() or RevenueSettings(pk=1)


def arr_policy(settings: RevenueSettings | None = None) -> ArrPolicy:
    """How lines become ARR: policies arr_term, arr_discounts, arr_usage."""
    chosen = (settings or current()).policies
    return ArrPolicy(
        term=cast("Term", chosen.get("arr_term", "paid")),
        discounts=cast("Discounts", chosen.get("arr_discounts", "always")),
        usage=cast("Usage", chosen.get("arr_usage", "committed")),
    )


def churn_date(settings: RevenueSettings) -> ChurnDate:
    return cast("ChurnDate", settings.policies.get("churn_date", "end_of_period"))


def policy(settings: RevenueSettings | None = None) -> Policy:
    """How metrics count. A choice that no longer exists falls back to the product's default.

    Where nobody chose otherwise a renewal may be as late for a metric as for the ledger: after
    these days the ledger writes the loss down, and what comes then is a win-back.
    """
    row = settings or current()
    chosen = replace(DEFAULT, grace_days=row.loss_grace_days)
    for key, value in row.policies.items():
        try:
            chosen = choose({key: value}, chosen)
        except PolicyUnknown:
            continue
    return chosen


def spend_rows() -> list[Spend]:
    """What was spent, newest month first."""
    rows = Spend.objects.select_related("user")
    return list(rows.order_by("-month", "kind", "user__name", "pk"))
