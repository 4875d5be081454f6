"""Customers and activities changed: their summary rows and renewals follow."""

from datetime import datetime
from typing import Any

from gengyun.kernel.days import day_of
from gengyun.kernel.outbox import on
from gengyun.portfolio.actions.chances import follow_chances
from gengyun.portfolio.actions.renewal_checks import check_renewals
from gengyun.portfolio.actions.summaries import refresh_summaries


@on("alert.changed")
@on("customer.changed")
@on("activity.changed")
@on("contract.changed")
@on("renewal.changed")
@on("churn.changed")
def refresh_changed(payload: dict[str, Any], now: datetime) -> None:
    refresh_summaries(customer_ids=payload["customer_ids"], now=now)


@on("churn.changed")
def chances_changed(payload: dict[str, Any], now: datetime) -> None:
    """Renewals say what the model says of them now."""
    follow_chances(customer_ids=payload["customer_ids"])


@on("alert.changed")
@on("activity.changed")
@on("contract.changed")
def check_changed(payload: dict[str, Any], now: datetime) -> None:
    """What happened with a customer answers the questions before its renewals at once."""
    check_renewals(as_of=day_of(now), now=now, customer_ids=payload["customer_ids"])
