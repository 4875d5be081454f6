"""Invoices past their due day, as they stood on any day by what was known then."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from gengyun.kernel.days import start_of
from gengyun.revenue.calc.receivables import Overdue, Owed, by_customer, spread
from gengyun.revenue.models import Invoice, InvoiceStatus, Payment
from gengyun.team.models import User

FEW = 2_000  # ids that go into a query; more are sorted out here


def overdue_invoices(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> list[Owed]:
    """Unpaid, undisputed invoices due before `as_of`, by what was known before `moment`.

    `moment` defaults to the start of the day. Oldest first. An invoice without a due day is never
    overdue; one that the customer disputes is argued about, not chased.
    """
    moment = moment or start_of(as_of)
    received = Q(
        payments__amount_minor__gt=0,
        payments__known_at__lt=moment,
        payments__received_on__lte=as_of,
        payments__currency=F("currency"),
    )
    rows = (
        _of(_known_invoices(moment), customer_ids)
        .filter(due_on__lt=as_of)
        .filter(Q(disputed_since__isnull=True) | Q(disputed_since__gt=as_of))
        .annotate(paid=Coalesce(Sum("payments__amount_minor", filter=received), 0))
        .filter(paid__lt=F("amount_minor"))
        .order_by()
        .values_list("pk", "customer_id", "number", "due_on", "amount_minor", "paid", "currency")
    )
    owed = [
        Owed(pk, customer_id, number, due_on, amount - paid, currency)
        for pk, customer_id, number, due_on, amount, paid, currency in rows
    ]
    wanted = None if customer_ids is None else frozenset(customer_ids)
    if wanted is not None and len(wanted) > FEW:
        owed = [one for one in owed if one.customer_id in wanted]
    return spread(owed, _unmatched(as_of, moment, {one.customer_id for one in owed}))


def due_invoices(actor: User | None, *, first: date, last: date) -> QuerySet[Any]:
    """Invoices due from `first` to `last` (both included) that are not paid by payments of their
    own; with their customer, in no order."""
    received = Q(payments__amount_minor__gt=0, payments__currency=F("currency"))
    rows = Invoice.objects.visible_to(actor).filter(
        status=InvoiceStatus.OPEN, due_on__gte=first, due_on__lte=last, amount_minor__gt=0
    )
    paid = rows.annotate(paid=Coalesce(Sum("payments__amount_minor", filter=received), 0))
    return paid.filter(paid__lt=F("amount_minor")).select_related("customer").order_by()


def overdue_as_of(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> dict[int, Overdue | None]:
    """Customer -> what is overdue; None: it has invoices and owes nothing late.

    A customer that is not among the keys has no invoices: nothing is known of how it pays.
    """
    moment = moment or start_of(as_of)
    late = by_customer(overdue_invoices(as_of, moment=moment, customer_ids=customer_ids), as_of)
    billed = _of(_known_invoices(moment), customer_ids).order_by()
    ids = billed.values_list("customer_id", flat=True).distinct()
    wanted = None if customer_ids is None else frozenset(customer_ids)
    return {pk: late.get(pk) for pk in ids if wanted is None or pk in wanted}


def _known_invoices(moment: datetime) -> QuerySet[Any]:
    return Invoice.objects.filter(
        status=InvoiceStatus.OPEN, known_at__lt=moment, amount_minor__gt=0
    )


def _of(rows: QuerySet[Any], customer_ids: Collection[int] | None) -> QuerySet[Any]:
    if customer_ids is None or len(customer_ids) > FEW:
        return rows
    return rows.filter(customer_id__in=list(customer_ids))


def _unmatched(as_of: date, moment: datetime, owing: set[int]) -> dict[tuple[int, str], int]:
    """Money received that names no invoice, of the customers that owe something."""
    if not owing:
        return {}
    rows = Payment.objects.filter(
        invoice__isnull=True, amount_minor__gt=0, known_at__lt=moment, received_on__lte=as_of
    )
    if len(owing) <= FEW:
        rows = rows.filter(customer_id__in=sorted(owing))
    sums = (
        rows.order_by().values_list("customer_id", "currency").annotate(total=Sum("amount_minor"))
    )
    return {(pk, currency): total for pk, currency, total in sums if pk in owing}
