"""Dated facts of the deployment: people who left, noted risks, touches, opinions, money."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gengyun.churn.calc.observed import KINDS, NEVER, Facts
from gengyun.churn.queries.observed_prices import prices
from gengyun.churn.queries.observed_surveys import answered, unanswered
from gengyun.customers.models import Contact
from gengyun.engagement.models import Activity, Risk
from gengyun.health.models import Sentiment
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.models import Invoice, InvoiceStatus, Payment
from gengyun.team.models import AuditEntry

DAY = timedelta(days=1)
# cause in the tree of risk causes -> kind; any other noted risk is a "risk"
OF_CAUSE = {
    "decider_changed": "decider_left",
    "champion_changed": "champion_left",
    "competitor": "competitor",
    "roi_wrong": "roi_doubt",
    "sold_wrong": "missold",
    "layoff": "layoff",
    "contact_refused": "contact_refused",
    "no_feedback": "no_reply",
}
LEFT = {Contact.Part.DECIDER: "decider_left", Contact.Part.CHAMPION: "champion_left"}
FACE_TO_FACE = {Activity.Kind.MEETING, Activity.Kind.VISIT}


@dataclass(frozen=True)
class Fact:
    customer_id: int
    kind: str
    happened: date
    known: date
    until: date | None = None
    value: float = float("nan")


def facts(until: date) -> Facts:
    """Known before `until`."""
    rows = [
        row
        for source in (_left, _risks, _touches, _opinions, _surveys, _invoices, _prices)
        for row in source(until)
        if row.known < until
    ]
    return Facts.of(
        account=[row.customer_id for row in rows],
        kind=[KINDS.index(row.kind) for row in rows],
        happened=np.array([row.happened for row in rows], dtype="datetime64[D]"),
        known=np.array([row.known for row in rows], dtype="datetime64[D]"),
        until=np.array(
            [NEVER if row.until is None else row.until for row in rows], dtype="datetime64[D]"
        ),
        value=np.array([row.value for row in rows], dtype=np.float64),
    )


def _left(until: date) -> Iterator[Fact]:
    """A departure is known since somebody entered it: a late entry was not known before."""
    entered: dict[str, date] = {}
    told = AuditEntry.objects.filter(action="contact.mark_left").order_by("at", "pk")
    for contact_id, at in told.values_list("object_id", "at"):
        entered[contact_id] = day_of(at)
    rows = Contact.objects.filter(part__in=LEFT, left_on__isnull=False)
    for pk, customer_id, part, left_on, updated_at in rows.order_by("pk").values_list(
        "pk", "customer_id", "part", "left_on", "updated_at"
    ):
        if left_on is None:
            continue
        known = max(left_on, entered.get(str(pk)) or day_of(updated_at))
        yield Fact(customer_id, LEFT[Contact.Part(part)], left_on, known)


def _risks(until: date) -> Iterator[Fact]:
    """A risk that never was one is no fact; one that was settled counts until then."""
    rows = Risk.objects.filter(known_at__lt=start_of(until)).exclude(end=Risk.End.MISTAKEN)
    for row in rows.order_by("pk"):
        yield Fact(
            row.customer_id,
            OF_CAUSE.get(row.cause, "risk"),
            row.happened_on,
            day_of(row.known_at),
            None if row.ended_at is None else day_of(row.ended_at),
        )


def _touches(until: date) -> Iterator[Fact]:
    """Touches with the customer; notes to ourselves are none. What was edited later says what it
    says since then."""
    rows = (
        Activity.objects.present()
        .filter(recorded_at__lt=start_of(until))
        .exclude(kind__in=(Activity.Kind.NOTE, Activity.Kind.SYSTEM))
    )
    with_decider = set(
        rows.filter(contacts__part=Contact.Part.DECIDER).order_by().values_list("pk", flat=True)
    )
    for pk, customer_id, kind, outcome, happened_at, recorded_at, edited_at in rows.order_by(
        "pk"
    ).values_list(
        "pk", "customer_id", "kind", "outcome", "happened_at", "recorded_at", "edited_at"
    ):
        happened, known = day_of(happened_at), day_of(recorded_at)
        yield Fact(customer_id, "touch", happened, known)
        if kind in FACE_TO_FACE:
            yield Fact(customer_id, "meeting", happened, known)
        if pk in with_decider:
            yield Fact(customer_id, "exec_contact", happened, known)
        if outcome == Activity.Outcome.NOT:
            said = known if edited_at is None else max(known, day_of(edited_at))
            yield Fact(customer_id, "not_solved", happened, said)


def _opinions(until: date) -> Iterator[Fact]:
    rows = Sentiment.objects.filter(known_at__lt=start_of(until)).order_by("pk")
    for row in rows:
        ends = row.valid_until + DAY
        if row.ended_at is not None:
            ends = min(ends, day_of(row.ended_at))
        known = day_of(row.known_at)
        yield Fact(row.customer_id, "sentiment", known, known, ends, float(row.level))


def _surveys(until: date) -> Iterator[Fact]:
    """Scores that were given, and waves that brought no answer from anybody."""
    for source in (answered, unanswered):
        for customer_id, kind, day, value in source(until):
            yield Fact(customer_id, kind, day, day, None, value)


def _prices(until: date) -> Iterator[Fact]:
    """What was asked for the next term, while it stood and the renewal was open."""
    for customer_id, since, ended, share in prices(until):
        yield Fact(customer_id, "price_rise", since, since, ended, share)


def _invoices(until: date) -> Iterator[Fact]:
    """An invoice from its due day until the day on which all of it was known to be paid."""
    rows = Invoice.objects.filter(
        status=InvoiceStatus.OPEN, known_at__lt=start_of(until), amount_minor__gt=0
    ).order_by("due_on", "pk")
    argued = _since_entered("invoice.dispute")
    settled = _settled(until)
    for row in rows:
        known = day_of(row.known_at)
        if row.disputed_since is not None:
            said = max(row.disputed_since, argued.get(str(row.pk), known))
            yield Fact(row.customer_id, "dispute", row.disputed_since, said)
        elif row.due_on is not None:
            yield Fact(row.customer_id, "invoice", row.due_on, known, settled.get(row.pk))


def _since_entered(action: str) -> dict[str, date]:
    rows = AuditEntry.objects.filter(action=action).order_by("at", "pk")
    return {object_id: day_of(at) for object_id, at in rows.values_list("object_id", "at")}


def _settled(until: date) -> dict[int, date]:
    """Invoice -> the day on which it was known to be paid.

    A payment for an invoice counts for it; what names none counts for the oldest that is open.
    """
    owed: dict[int, dict[int, int]] = defaultdict(dict)
    rows = Invoice.objects.filter(status=InvoiceStatus.OPEN, amount_minor__gt=0)
    for pk, customer_id, amount in rows.order_by("due_on", "pk").values_list(
        "pk", "customer_id", "amount_minor"
    ):
        owed[customer_id][pk] = amount
    found: dict[int, date] = {}
    paid = Payment.objects.filter(known_at__lt=start_of(until)).order_by("known_at", "pk")
    for customer_id, invoice_id, amount, at in paid.values_list(
        "customer_id", "invoice_id", "amount_minor", "known_at"
    ):
        mine, left = owed[customer_id], amount
        for pk in [invoice_id] if invoice_id in mine else list(mine) if not invoice_id else []:
            used = min(left, mine[pk])
            mine[pk] -= used
            left -= used
            if mine[pk] <= 0:
                found[pk] = day_of(at)
                if left > 0 or not invoice_id:
                    mine.pop(pk)
            if left <= 0:
                break
    return found
