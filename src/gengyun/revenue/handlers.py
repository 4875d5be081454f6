"""What revenue does when something below it changed."""

from datetime import datetime
from typing import Any

from gengyun.kernel.outbox import on
from gengyun.revenue.actions.renewals import follow_owners


@on("customer.changed")
def renewals_go_along(payload: dict[str, Any], now: datetime) -> None:
    """A customer that changed hands takes its open renewals along."""
    follow_owners(customer_ids=payload["customer_ids"], now=now)
