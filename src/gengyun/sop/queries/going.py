"""Runs that a batch carries on: what a step looks at and what it changes, and no more of a row.

A batch takes thousands; what a model instance costs would be felt.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from gengyun.sop.models import Run


@dataclass(slots=True)
class Going:
    """A run under its lock; named as the columns are."""

    pk: int
    version_id: int
    customer_id: int
    contact_id: int | None
    entered_by_id: int | None
    product_key: str
    identity_key: str
    arm: str
    state: str
    step_key: str
    step_count: int
    step_since: datetime | None
    wait_until: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    end_reason: str


_NAMES = [field.name for field in fields(Going)]


def going(ids: Collection[int], *, now: datetime) -> list[Going]:
    """Those of them that are due, locked until the transaction ends."""
    rows = Run.objects.active().filter(pk__among=list(ids), due_at__lte=now)
    found = rows.order_by("pk").select_for_update().values_list(*_NAMES)
    return [Going(*row) for row in found]
