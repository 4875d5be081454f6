"""Sending quarantined events on, by a person or because their customer is known now."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from gengyun.customers.models import Customer
from gengyun.kernel.errors import Refusal
from gengyun.lake.inbox import open_inbox
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.actions.replaying import put_back
from gengyun.usage.models import ProductUser, QuarantinedEvent, Source

# what a later customer or user can heal; the other reasons stay what they are
HEALABLE = (QuarantinedEvent.Reason.UNKNOWN_CUSTOMER, QuarantinedEvent.Reason.NO_CUSTOMER)


class NothingToReplay(Refusal):
    code = "nothing_to_replay"
    message = "No quarantined events are waiting here."


def replay(
    *,
    actor: User | None,
    now: datetime,
    source: Source | None = None,
    reason: str | None = None,
    ids: Iterable[int] | None = None,
) -> int:
    """Queue waiting events for the drain's next turn; returns how many.

    They count as known from now on (history sources: from when they happened). Events that still
    cannot go on stay in quarantine.
    """
    require(actor, "sources.edit")
    waiting = QuarantinedEvent.objects.filter(replayed_at=None).order_by("pk")
    if source is not None:
        waiting = waiting.filter(source=source)
    if reason is not None:
        waiting = waiting.filter(reason=reason)
    if ids is not None:
        waiting = waiting.filter(pk__in=list(ids))
    count = _queue(waiting, now=now)
    if not count:
        raise NothingToReplay
    if source is not None:
        with transaction.atomic():
            record(
                actor=actor,
                now=now,
                action="source.replay",
                obj=source,
                changes={"events": [None, count], "reason": [None, reason]},
            )
    return count


def replay_for_customers(*, external_ids: Sequence[str], now: datetime) -> int:
    """Queue what waited for these customers; harmless when run twice."""
    waiting = QuarantinedEvent.objects.filter(
        replayed_at=None, reason=QuarantinedEvent.Reason.UNKNOWN_CUSTOMER
    )
    count = 0
    for at in range(0, len(external_ids), 900):
        part = external_ids[at : at + 900]
        count += _queue(waiting.filter(group_id__in=part).order_by("pk"), now=now)
    return count


def replay_known(*, now: datetime) -> int:
    """Queue whatever waits for a customer, or a user's customer, that is known by now.

    Mostly that is done at once; this finds what fell between: the customer was made while the
    event was on its way to quarantine, a customer got another id, the drain was killed.
    """
    customer = Customer.objects.filter(external_id=OuterRef("group_id"))
    user = ProductUser.objects.filter(external_id=OuterRef("user_id"), customer__isnull=False)
    reason = QuarantinedEvent.Reason
    waiting = QuarantinedEvent.objects.filter(
        Q(reason=reason.UNKNOWN_CUSTOMER) & Exists(customer)
        | Q(reason=reason.NO_CUSTOMER) & Exists(user),
        replayed_at=None,
    )
    return _queue(waiting.order_by("pk"), now=now)


def _queue(waiting: QuerySet[QuarantinedEvent], *, now: datetime) -> int:
    ids = list(waiting.values_list("pk", flat=True))
    if not ids:
        return 0
    with open_inbox(settings.INBOX_PATH) as inbox:
        return put_back(ids, inbox=inbox, now=now)
