"""What usage does when something happened elsewhere."""

from datetime import datetime
from typing import Any

from gengyun.kernel.outbox import on
from gengyun.usage.actions.replay import replay_for_customers


@on("customer.created")
@on("customer.id_changed")
def replay_waiting_events(payload: dict[str, Any], now: datetime) -> None:
    """Events that waited for exactly this customer go to the lake."""
    replay_for_customers(external_ids=payload.get("external_ids", []), now=now)
