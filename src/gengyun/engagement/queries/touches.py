"""The ledger of touches as people read it: what was sent to whom, what waits, what was not sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc.approving import CSM, asked_of
from gengyun.engagement.calc.bounces import is_dead
from gengyun.engagement.models import (
    Delivery,
    MailAddress,
    OptOut,
    Touch,
    TouchPreference,
)
from gengyun.engagement.queries.reach import address_of
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User

State = Touch.State
TABS = {
    "drafts": (State.DRAFT,),
    "approvals": (State.APPROVAL,),
    "planned": (State.QUEUED,),
    "sent": (State.SENT,),
    "not_sent": (State.SUPPRESSED, State.FAILED),
    "trouble": (State.UNSURE, State.BOUNCED),
    "all": (),
}
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Filters:
    """What of the ledger; empty: all of it."""

    customer: int | None = None
    contact: int | None = None
    kind: str = ""
    category: str = ""
    reason: str = ""
    text: str = ""
    is_mine: bool = False
    source: str = ""


def ledger(actor: User | None, filters: Filters) -> QuerySet[Touch]:
    rows = Touch.objects.visible_to(actor)
    if filters.is_mine and actor is not None:
        rows = rows.filter(customer__owner=actor)
    exact = {
        "customer_id": filters.customer,
        "contact_id": filters.contact,
        "channel_kind": filters.kind,
        "category": filters.category,
        "reason": filters.reason,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if filters.source:
        rows = rows.filter(source__startswith=filters.source)
    if filters.text:
        rows = rows.filter(
            Q(customer__name__icontains=filters.text)
            | Q(contact__name__icontains=filters.text)
            | Q(subject__icontains=filters.text)
        )
    return rows


def of_tab(rows: QuerySet[Touch], tab: str) -> QuerySet[Touch]:
    states = TABS[tab]
    found = rows.filter(state__in=states) if states else rows
    found = found.select_related("customer", "customer__owner", "contact", "channel", "decided_by")
    if tab == "planned":
        return found.order_by("due_at", "pk")
    if tab == "drafts":
        return found.order_by("asked_at", "pk")
    if tab == "approvals":
        return found.order_by("answer_by", "pk")
    if tab == "sent":
        return found.order_by(F("sent_at").desc(nulls_last=True), "-pk")
    return found.order_by("-asked_at", "-pk")


def counts(rows: QuerySet[Touch]) -> dict[str, int]:
    """{tab: touches}."""
    by_state = dict(
        rows.order_by().values("state").annotate(n=Count("pk")).values_list("state", "n")
    )
    return {
        tab: sum(by_state.get(state, 0) for state in (states or State.values))
        for tab, states in TABS.items()
    }


def reasons(rows: QuerySet[Touch], now: datetime) -> list[tuple[str, int]]:
    """Why messages were not sent in the last 30 days, the most frequent reason first."""
    found = rows.filter(state=State.SUPPRESSED, asked_at__gt=now - RECENT).order_by()
    counted = found.values("reason").annotate(n=Count("pk")).values_list("reason", "n")
    return sorted(counted, key=lambda one: (-one[1], one[0]))


def get(actor: User | None, pk: int) -> Touch:
    found = (
        Touch.objects.visible_to(actor)
        .select_related(
            "customer", "customer__owner", "contact", "channel", "asked_by", "decided_by"
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def delivery_of(touch: Touch) -> Delivery | None:
    return Delivery.objects.filter(key=f"touch:{touch.token}").first()


def to_decide(rows: QuerySet[Touch], actor: User, now: datetime) -> QuerySet[Touch]:
    """Of these, what this person may say yes or no to."""
    return rows.filter(state=State.APPROVAL, approver__in=asked_of(actor.role), answer_by__gt=now)


def awaiting(actor: User, now: datetime) -> QuerySet[Touch]:
    """What waits for this person: at customers of their own or of whom they stand in for, and what
    is a leader's to decide."""
    owners = {actor.pk, *actor.covered_ids(day_of(now))}
    mine = Q(customer__owner__in=owners) | ~Q(approver=CSM)
    return to_decide(Touch.objects.visible_to(actor), actor, now).filter(mine)


@dataclass(frozen=True)
class Reader:
    """One contact as the ledger knows them."""

    contact: Contact
    opted_out: dict[str, OptOut]  # category or "all"
    is_dead: bool  # mail does not arrive there
    said: str
    time_zone: str
    language: str
    sent_30d: int


def readers(actor: User | None, customer: Customer, now: datetime) -> list[Reader]:
    """The contacts of a customer, with what stands in the way of writing to them."""
    contacts = list(Contact.objects.visible_to(actor).filter(customer=customer))
    addresses = {address_of(contact) for contact in contacts} - {""}
    outs = list(
        OptOut.objects.filter(ended_at__isnull=True)
        .filter(Q(contact__in=contacts) | Q(address__in=addresses))
        .select_related("by")
        .order_by("at")
    )
    mail = {row.address: row for row in MailAddress.objects.filter(address__in=addresses)}
    wishes = {row.contact_id: row for row in TouchPreference.objects.filter(contact__in=contacts)}
    sent = dict(
        Touch.objects.filter(contact__in=contacts, sent_at__gt=now - RECENT)
        .exclude(state=State.QUEUED)
        .order_by()
        .values("contact")
        .annotate(n=Count("pk"))
        .values_list("contact", "n")
    )
    return [
        _reader(
            contact,
            outs=outs,
            mail=mail.get(address_of(contact)),
            wish=wishes.get(contact.pk),
            sent_30d=sent.get(contact.pk, 0),
            now=now,
        )
        for contact in contacts
    ]


def _reader(
    contact: Contact, *, outs: list[OptOut], mail: MailAddress | None,
    wish: TouchPreference | None, sent_30d: int, now: datetime,
) -> Reader:  # fmt: skip
    address = address_of(contact)
    own = {
        row.category: row
        for row in outs
        if row.contact_id == contact.pk or (address and row.address == address)
    }
    dead = mail is not None and is_dead(
        mail.hard_bounced_at, mail.soft_bounces, mail.cleared_at, now
    )
    return Reader(
        contact=contact,
        opted_out=own,
        is_dead=dead,
        said=mail.said if mail is not None and dead else "",
        time_zone=wish.time_zone if wish else "",
        language=wish.language if wish else "",
        sent_30d=sent_30d,
    )


def customer_name(actor: User | None, pk: int) -> str:
    """ "" where there is none that this person may see."""
    rows = Customer.objects.visible_to(actor).filter(pk=pk).order_by()
    return rows.values_list("name", flat=True).first() or ""


def contact_name(actor: User | None, pk: int) -> str:
    rows = Contact.objects.visible_to(actor).filter(pk=pk).order_by()
    return rows.values_list("name", flat=True).first() or ""
