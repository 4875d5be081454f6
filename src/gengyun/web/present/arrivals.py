"""Rows of the live list and of the quarantine, ready to show."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from gengyun.usage.models import Arrival
from gengyun.web.present.outcomes import Outcome, outcome

KINDS = {
    "track": _("event"),
    "page": _("page view"),
    "screen": _("screen view"),
    "identify": _("user traits"),
    "group": _("customer traits"),
    "alias": _("alias"),
}


@dataclass(frozen=True)
class ArrivalRow:
    pk: int
    received_at: datetime
    happened_at: datetime | None
    kind: str
    event: str
    user_id: str
    group_id: str
    customer_id: int | None
    customer: str
    outcome: Outcome
    code: str
    body: str


@dataclass(frozen=True)
class QuarantineGroup:
    reason: str
    count: int
    customers: int
    outcome: Outcome
    is_replay_useful: bool  # nothing but a new customer makes the same text acceptable


def arrival_row(arrival: Arrival) -> ArrivalRow:
    return ArrivalRow(
        pk=arrival.pk,
        received_at=arrival.received_at,
        happened_at=arrival.happened_at,
        kind=KINDS.get(arrival.kind, arrival.kind),
        event=arrival.event,
        user_id=arrival.user_id,
        group_id=arrival.group_id,
        customer_id=arrival.customer_id,
        customer=arrival.customer.name if arrival.customer else "",
        outcome=outcome(arrival.outcome),
        code=arrival.outcome,
        body=pretty(arrival.body),
    )


def quarantine_group(group: Mapping[str, Any]) -> QuarantineGroup:
    return QuarantineGroup(
        reason=group["reason"],
        count=group["n"],
        customers=group["ids"],
        outcome=outcome(group["reason"]),
        is_replay_useful=group["reason"] in {"unknown_customer", "no_customer"},
    )


def pretty(body: str) -> str:
    """JSON indented for reading; anything else as it came."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body
