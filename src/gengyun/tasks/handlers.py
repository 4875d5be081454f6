"""A customer changed hands: tasks of a role follow."""

from datetime import datetime
from typing import Any

from gengyun.customers.actions.merging import register, rows_part
from gengyun.kernel.outbox import on
from gengyun.tasks.actions.owners import follow_owners
from gengyun.tasks.models import Task

register(rows_part("tasks", Task))


@on("customer.changed")
def follow_customer(payload: dict[str, Any], now: datetime) -> None:
    follow_owners(customer_ids=payload["customer_ids"], now=now)
