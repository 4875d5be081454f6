"""Something happened below: runs that wait for it are looked at again."""

from datetime import datetime
from typing import Any

from gengyun.kernel.outbox import on
from gengyun.sop.actions.events import (
    CUSTOMER_CREATED,
    SURVEY_ANSWERED,
    note_domain,
    note_usage,
)
from gengyun.sop.actions.step import wake
from gengyun.usage.actions.listening import listen

listen(note_usage)


@on(CUSTOMER_CREATED)
def note_created(payload: dict[str, Any], now: datetime) -> None:
    note_domain(CUSTOMER_CREATED, payload, now)


@on(SURVEY_ANSWERED)
def note_answered(payload: dict[str, Any], now: datetime) -> None:
    note_domain(SURVEY_ANSWERED, payload, now)


@on("activity.changed")
@on("alert.changed")
@on("churn.changed")
@on("contract.changed")
@on("customer.changed")
@on("renewal.changed")
@on("survey.answered")
@on("task.changed")
def wake_waiting(payload: dict[str, Any], now: datetime) -> None:
    """Runs of these customers; `portfolio` has brought their summary rows up to date before."""
    wake(now=now, customer_ids=payload.get("customer_ids") or [])


@on("touch.changed")
def wake_by_touches(payload: dict[str, Any], now: datetime) -> None:
    from gengyun.engagement.models import Touch

    touches = Touch.objects.filter(pk__among=payload["touch_ids"]).order_by()
    wake(now=now, customer_ids=list(touches.values_list("customer_id", flat=True).distinct()))
