"""Rows of the live list and of the quarantine, ready to show."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from gengyun.usage.models import Arrival
from gengyun.usage.queries.sources import Waiting
from gengyun.web.present.outcomes import Outcome, outcome

HEALABLE = {"unknown_customer", "no_customer"}  # the reasons that a later customer can heal
KINDS = {
    "track": _("event"),
    "page": _("page view"),
    "screen": _("screen view"),
    "identify": _("user traits"),
    "group": _("customer traits"),
    "alias": _("alias"),
    "batch": _("item of a request"),
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


def quarantine_groups(waiting: Iterable[Waiting]) -> list[QuarantineGroup]:
    """What waits, by reason, the most first; the customer ids of a reason are counted."""
    counts: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    for group in waiting:
        counts[group.reason] += group.count
        ids[group.reason] += bool(group.group_id)
    return [
        QuarantineGroup(reason, count, ids[reason], outcome(reason), reason in HEALABLE)
        for reason, count in counts.most_common()
    ]


def pretty(body: str) -> str:
    """JSON indented for reading; anything else as it came."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


def event_name(body: str) -> str:
    """What the event calls itself, if it can be read at all."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    name = found.get("event") or found.get("name") or found.get("type") or ""
    return name if isinstance(name, str) else ""
