"""Customers and activities changed: their summary rows follow."""

from datetime import datetime
from typing import Any

from gengyun.kernel.outbox import on
from gengyun.portfolio.actions.summaries import refresh_summaries


@on("alert.changed")
@on("customer.changed")
@on("activity.changed")
def refresh_changed(payload: dict[str, Any], now: datetime) -> None:
    refresh_summaries(customer_ids=payload["customer_ids"], now=now)
