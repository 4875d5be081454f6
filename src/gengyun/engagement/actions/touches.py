"""Asking for a message to a customer: decided at once, and in the transaction that counts budgets.

`request` and `request_many` are what SOPs, surveys and people call. The answer is a row of the
ledger: planned for the first allowed moment, a draft for a colleague, waiting for a yes, or not
sent, with the reason.
Asked twice under one key, it is one touch.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.actions.channels import ChannelKindUnknown
from gengyun.engagement.calc.approving import APPROVERS
from gengyun.engagement.calc.budget import CLASS_OF, CLASSES, Counted
from gengyun.engagement.calc.touching import Decision, decide, obstacle
from gengyun.engagement.models import Channel, Delivery, Touch
from gengyun.engagement.queries.reach import (
    GROUP_KINDS,
    Channels,
    Reach,
    address_of,
    locked,
    person_of,
    policy,
    quiet_of,
)
from gengyun.kernel import rows
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.kernel.texts import keepable
from gengyun.team.models import User

State = Touch.State
SUBJECT_LENGTH, BODY_LENGTH = 300, 20_000


class CategoryUnknown(Refusal):
    code = "touch_category_unknown"
    message = "%(category)s is no category of messages."


class TextTooLong(Refusal):
    code = "touch_text_too_long"
    message = "At most %(limit)s characters."


@dataclass(frozen=True)
class TouchRequest:
    """One message that is wanted. `channel`: a channel to customers, or a kind ("email")."""

    key: str
    customer: Customer
    contact: Contact | None
    channel: Channel | str
    category: str
    subject: str
    body: str
    draft: bool = False  # a colleague edits it and sends it
    source: str = ""
    template: str = ""
    language: str = "zh-hans"
    budget_class: str = ""  # "": by the category; "operational": asked for, counts in nothing
    suppress: str = ""  # a reason known before: a value that its text needs is missing
    told: Mapping[str, Any] = field(default_factory=dict)  # facts of that reason
    approver: str = ""  # complete, but it goes only after a yes of (calc.approving)
    answer_by: datetime | None = None  # until then; without an answer it is not sent


def request(
    *,
    now: datetime,
    key: str,
    customer: Customer,
    contact: Contact | None,
    channel: Channel | str,
    category: str,
    subject: str,
    body: str,
    draft: bool = False,
    source: str = "",
    template: str = "",
    language: str = "zh-hans",
    budget_class: str = "",
    suppress: str = "",
    told: Mapping[str, Any] | None = None,
    actor: User | None = None,
) -> Touch:
    """Ask for one message; see `TouchRequest`. The same `key` gives the same touch."""
    wanted = TouchRequest(
        key, customer, contact, channel, category, subject, body, draft, source, template,
        language, budget_class, suppress, told or {},
    )  # fmt: skip
    found = request_many(now=now, requests=[wanted], actor=actor)
    if key not in found:
        raise NotFound
    return found[key]


@transaction.atomic
def request_many(
    *, now: datetime, requests: Sequence[TouchRequest], actor: User | None = None
) -> dict[str, Touch]:
    """Ask for many at once, in a number of queries that does not grow with them. {key: touch}; a
    customer that is no longer there has none."""
    for one in requests:
        _check(one)
    contacts, customers = locked(
        {one.contact.pk for one in requests if one.contact is not None},
        {one.customer.pk for one in requests},
        {one.customer.pk for one in requests if _is_to_group(one)},
    )
    found = _already([one.key for one in requests])  # read after the locks: nobody is between
    reach = Reach(customers.values(), contacts.values(), now)
    writer = _Writer(reach, now, actor)
    new: dict[str, Touch] = {}
    for one in requests:
        if one.key in found or one.key in new or one.customer.pk not in customers:
            continue
        contact = contacts.get(one.contact.pk) if one.contact is not None else None
        new[one.key] = writer.write(one, customers[one.customer.pk], contact)
    rows.insert(list(new.values()))
    queue_deliveries(new.values(), now=now)
    tell(new.values(), now=now)
    return found | new


def queue_deliveries(touches: Any, *, now: datetime) -> None:
    """The planned ones get a delivery each; the worker takes it from there."""
    deliveries = [
        Delivery(
            key=f"touch:{touch.token}",
            about=f"touch:{touch.token}",
            channel_id=touch.channel_id,
            recipient=touch.recipient,
            severity=4,
            due_at=touch.due_at,
            created_at=now,
        )
        for touch in touches
        if touch.state == State.QUEUED
    ]
    rows.insert(deliveries)


def tell(touches: Any, *, now: datetime) -> None:
    """Say that these touches changed: `touch.changed` {"touch_ids"}."""
    ids = sorted(touch.pk for touch in touches)
    if ids:
        emit("touch.changed", {"touch_ids": ids}, now=now)


def is_to_group(contact: Contact | None, kind: str) -> bool:
    return contact is None or kind in GROUP_KINDS


class _Writer:
    def __init__(self, reach: Reach, now: datetime, actor: User | None) -> None:
        self.reach, self.now, self.actor = reach, now, actor
        self.channels, self.policy = Channels(), policy()
        self.quiet = quiet_of(self.policy)

    def write(self, one: TouchRequest, customer: Customer, contact: Contact | None) -> Touch:
        kind, channel = self._channel(one, customer)
        touch = Touch(
            key=one.key,
            customer_id=customer.pk,
            contact_id=contact.pk if contact is not None else None,
            person=person_of(customer.pk, contact, kind),
            recipient=address_of(contact) if kind == Channel.Kind.EMAIL else "",
            channel_kind=kind,
            channel=channel,
            category=one.category,
            budget_class=one.budget_class or CLASS_OF[one.category],
            language=one.language,
            subject=line_of(one.subject),
            body=text_of(one.body),
            template=one.template,
            source=one.source,
            asked_at=self.now,
            asked_by=self.actor,
            approver=one.approver,
            answer_by=one.answer_by,
            token=secrets.token_hex(16),
        )
        if one.suppress:
            return apply(touch, Decision(reason=one.suppress, told=one.told))
        if one.draft or one.approver:
            standing = self.reach.standing(
                customer, contact, kind, has_channel=channel is not None,
                subject=touch.subject, body=touch.body,
            )  # fmt: skip
            reason = obstacle(standing, touch.category, touch.budget_class)
            if reason:
                return apply(touch, Decision(reason=reason))
            touch.state = State.APPROVAL if one.approver else State.DRAFT
            return touch
        return plan(touch, self.reach, customer, contact, at=self.now, quiet=self.quiet,
                    caps=self.policy.caps)  # fmt: skip

    def _channel(self, one: TouchRequest, customer: Customer) -> tuple[str, Channel | None]:
        if isinstance(one.channel, str):
            return one.channel, self.channels.find(one.channel, customer)
        fits = self.channels.fits(one.channel, customer)
        return one.channel.kind, one.channel if fits else None


def plan(
    touch: Touch, reach: Reach, customer: Customer, contact: Contact | None, *, at: datetime,
    quiet: Any, caps: Mapping[str, Mapping[str, int]],
) -> Touch:  # fmt: skip
    """Queue the touch for the first allowed moment, or suppress it; not saved yet."""
    standing = reach.standing(
        customer, contact, touch.channel_kind, has_channel=touch.channel_id is not None,
        subject=touch.subject, body=touch.body,
    )  # fmt: skip
    decision = decide(
        standing, category=touch.category, budget_class=touch.budget_class, at=at, quiet=quiet,
        caps=caps,
    )  # fmt: skip
    apply(touch, decision)
    if touch.state == State.QUEUED and decision.due_at is not None:
        reach.count(touch.person, Counted(decision.due_at, touch.budget_class))
    return touch


def apply(touch: Touch, decision: Decision) -> Touch:
    if decision.reason:
        touch.state, touch.reason, touch.told = (
            State.SUPPRESSED,
            decision.reason,
            dict(decision.told),
        )
        touch.due_at = None
    else:
        touch.state, touch.reason, touch.told = State.QUEUED, "", {}
        touch.due_at = decision.due_at
    return touch


def _check(one: TouchRequest) -> None:
    """What people write is refused in their language; the rest is a fault of who calls."""
    if one.category not in CLASS_OF:
        raise CategoryUnknown(category=one.category[:40])
    if isinstance(one.channel, str) and one.channel not in Channel.Kind.values:
        raise ChannelKindUnknown(kind=one.channel[:40])
    check_text(one.subject, one.body)
    if one.approver and (one.approver not in APPROVERS or one.answer_by is None):
        raise ValueError(f"approver {one.approver!r}, to answer by {one.answer_by}")
    if one.budget_class and one.budget_class not in CLASSES:
        raise ValueError(f"budget class {one.budget_class!r}")


def text_of(written: str) -> str:
    """Without what no database keeps: NUL and halves of characters."""
    return keepable(written).strip()


def line_of(written: str) -> str:
    return " ".join(text_of(written).split())


def check_text(subject: str, body: str) -> None:
    if len(subject) > SUBJECT_LENGTH:
        raise TextTooLong(field="subject", limit=SUBJECT_LENGTH)
    if len(body) > BODY_LENGTH:
        raise TextTooLong(field="body", limit=BODY_LENGTH)


def _is_to_group(one: TouchRequest) -> bool:
    kind = one.channel if isinstance(one.channel, str) else one.channel.kind
    return is_to_group(one.contact, kind)


def _already(keys: Sequence[str]) -> dict[str, Touch]:
    return {row.key: row for row in Touch.objects.filter(key__among=list(keys)).order_by()}
