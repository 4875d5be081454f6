"""Customers, contracts or renewals changed: facts are judged at once, work items follow the owner.
Somebody talked with them: that is a response."""

from datetime import datetime
from typing import Any

from gengyun.alerts.actions.evaluate import evaluate_facts
from gengyun.alerts.actions.owners import follow_owners
from gengyun.alerts.actions.responding import note_responses
from gengyun.alerts.queries.stakes import known_stakes
from gengyun.kernel.outbox import on
from gengyun.tasks.queries.stakes import provide

provide(known_stakes)  # tasks are ordered by what is at stake

FEW = 2_000  # more at once (an import) wait for the night


@on("customer.changed")
def judge_facts(payload: dict[str, Any], now: datetime) -> None:
    customer_ids = payload["customer_ids"]
    follow_owners(customer_ids=customer_ids, now=now)
    if len(customer_ids) <= FEW:
        evaluate_facts(customer_ids=customer_ids, now=now)


@on("contract.changed")
@on("renewal.changed")
@on("risk.changed")
@on("sop.alerted")
@on("survey.answered")
def judge_commercial(payload: dict[str, Any], now: datetime) -> None:
    """Money came in, a renewal was judged, a risk was noted or settled, a survey was answered: what
    is open because of it opens or ends at once."""
    customer_ids = payload["customer_ids"]
    if len(customer_ids) <= FEW:
        evaluate_facts(customer_ids=customer_ids, now=now)


@on("activity.changed")
def note_contact(payload: dict[str, Any], now: datetime) -> None:
    note_responses(customer_ids=payload["customer_ids"], now=now)
