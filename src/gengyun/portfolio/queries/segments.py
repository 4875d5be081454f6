"""Who is in a segment now, and who was when."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q, QuerySet

from gengyun.customers.models import Contact
from gengyun.portfolio.calc.expressions import parse
from gengyun.portfolio.models import CustomerSummary, Segment, SegmentPin, SegmentStay
from gengyun.portfolio.queries.expressions import to_q
from gengyun.revenue.models import Line
from gengyun.team.models import User


def members(segment: Segment, *, actor: User | None, today: date) -> QuerySet[CustomerSummary]:
    """The customers in it now whom the actor may see; a pin beats the condition."""
    pins = SegmentPin.objects.filter(segment=segment)
    inside = pins.filter(is_in=True).values("customer_id")
    outside = pins.filter(is_in=False).values("customer_id")
    holds = to_q(parse(segment.expression), None, today)
    rows = CustomerSummary.objects.visible_to(actor)
    # an empty condition means everybody, and `|` would drop it
    fitting = rows.filter(holds | Q(pk__in=inside)) if holds else rows
    return fitting.exclude(pk__in=outside)


def count(segment: Segment, *, actor: User | None, today: date) -> int:
    """How many customers, contacts or products it holds now."""
    rows = members(segment, actor=actor, today=today).order_by()
    if segment.of == Segment.Of.CUSTOMER:
        return rows.count()
    ids = rows.values("pk")
    if segment.of == Segment.Of.CONTACT:
        return contacts_of(segment).filter(customer__in=ids).count()
    return products_of(segment, today).filter(customer__in=ids).count()


def contacts_of(segment: Segment):
    rows = Contact.objects.filter(left_on__isnull=True)
    return rows.filter(part__in=segment.narrowed_to) if segment.narrowed_to else rows


def products_of(segment: Segment, day: date):
    """(customer, product key) of lines that run on the day."""
    rows = Line.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day, voided_at=None
    )
    if segment.narrowed_to:
        rows = rows.filter(product__key__in=segment.narrowed_to)
    return (
        rows.order_by("customer_id", "product__key")
        .values("customer_id", "product__key")
        .distinct()
    )


def identities(
    segment: Segment, customer_ids: Collection[int], *, day: date
) -> dict[str, SegmentStay]:
    """Identity -> a stay that is not stored yet, of these customers."""
    ids = sorted(customer_ids)
    found: dict[str, SegmentStay] = {}
    if segment.of == Segment.Of.CUSTOMER:
        return {f"c:{pk}": SegmentStay(customer_id=pk) for pk in ids}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        if segment.of == Segment.Of.CONTACT:
            rows = contacts_of(segment).filter(customer_id__in=part)
            for pk, customer_id in rows.values_list("pk", "customer_id"):
                found[f"k:{pk}"] = SegmentStay(customer_id=customer_id, contact_id=pk)
        else:
            for row in products_of(segment, day).filter(customer_id__in=part):
                pk, key = row["customer_id"], row["product__key"]
                found[f"p:{pk}:{key}"] = SegmentStay(customer_id=pk, product_key=key)
    return found


def history(segment: Segment, *, actor: User | None, customer_id: int | None = None):
    """Stays, the newest first."""
    rows = SegmentStay.objects.visible_to(actor).filter(segment=segment)
    return rows if customer_id is None else rows.filter(customer_id=customer_id)


def segments_of(customer_id: int, *, actor: User | None) -> list[Segment]:
    """Where a customer is in, as of the newest day that was followed."""
    rows = Segment.objects.visible_to(actor).filter(
        retired_at=None, stays__customer_id=customer_id, stays__to_on=None
    )
    return list(rows.distinct())
