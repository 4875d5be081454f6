"""How customers stand by their contracts on a day: overdue, discount, growth, known endings.

As of day D: what took effect before D and was known before `moment` (default: the start of D).
Customers of whom something cannot be said are left out. Amounts of different currencies are never
added: a customer with ARR in two currencies has no growth and no shares here.
"""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from gengyun.kernel.days import start_of
from gengyun.revenue.calc.terms import add_months
from gengyun.revenue.models import Line, Movement, MovementKind
from gengyun.revenue.queries.receivables import overdue_as_of

FEW = 2_000  # ids that go into a query; more are sorted out here
FULL_BP = 10_000
Amounts = dict[int, dict[str, int]]


def _movements(moment: datetime, customer_ids: Collection[int] | None) -> QuerySet[Movement]:
    rows = Movement.objects.filter(known_at__lt=moment).order_by()
    if customer_ids is not None and len(customer_ids) <= FEW:
        rows = rows.filter(customer_id__in=sorted(customer_ids))
    return rows


def arr(before: date, *, moment: datetime, customer_ids: Collection[int] | None = None) -> Amounts:
    """Customer -> currency -> ARR of movements that took effect before the day; zeros left out."""
    rows = _movements(moment, customer_ids).filter(effective_on__lt=before)
    found: Amounts = {}
    sums = rows.values_list("customer_id", "currency").annotate(total=Sum("arr_minor"))
    wanted = None if customer_ids is None else frozenset(customer_ids)
    for pk, currency, total in sums:
        if total and (wanted is None or pk in wanted):
            found.setdefault(pk, {})[currency] = total
    return found


def _single(amounts: dict[str, int] | None) -> tuple[str, int] | None:
    """The one currency with ARR; None where there is none, or more than one."""
    if amounts is None or len(amounts) != 1:
        return None
    return next(iter(amounts.items()))


def overdue(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> tuple[dict[int, float], dict[int, float]]:
    """(customer -> days overdue, 0 for who pays in time; customer -> overdue / ARR in force)."""
    moment = moment or start_of(as_of)
    rows = overdue_as_of(as_of, moment=moment, customer_ids=customer_ids)
    days = {pk: float(one.days) if one else 0.0 for pk, one in rows.items()}
    in_force = arr(as_of, moment=moment, customer_ids=customer_ids)
    shares = {}
    for pk, one in rows.items():
        has = _single(in_force.get(pk))
        if has is None or has[1] <= 0:
            continue
        owed = one.amounts if one else {}
        if set(owed) <= {has[0]}:
            shares[pk] = owed.get(has[0], 0) / has[1]
    return days, shares


def arr_change(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> dict[int, float]:
    """(ARR now - ARR 12 months before) / ARR 12 months before, both as known now."""
    moment = moment or start_of(as_of)
    now = arr(as_of, moment=moment, customer_ids=customer_ids)
    then = arr(add_months(as_of, -12), moment=moment, customer_ids=customer_ids)
    found = {}
    for pk, amounts in then.items():
        was = _single(amounts)
        if was is None or was[1] <= 0 or set(now.get(pk, {})) - {was[0]}:
            continue
        found[pk] = (now.get(pk, {}).get(was[0], 0) - was[1]) / was[1]
    return found


def ending(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> dict[int, float]:
    """Share of ARR in force that churn movements of later days, already in the ledger, take away.

    A line that merely runs out is not known to end: its renewal is open.
    """
    moment = moment or start_of(as_of)
    coming = _movements(moment, customer_ids).filter(
        kind=MovementKind.CHURN, effective_on__gte=as_of, arr_minor__lt=0
    )
    sums = coming.values_list("customer_id", "currency").annotate(total=Sum("arr_minor"))
    leaving = {(pk, currency): -total for pk, currency, total in sums}
    found = {}
    for pk, amounts in arr(as_of, moment=moment, customer_ids=customer_ids).items():
        has = _single(amounts)
        if has is not None and has[1] > 0:
            found[pk] = min(1.0, leaving.get((pk, has[0]), 0) / has[1])
    return found


def discounts(
    as_of: date, *, moment: datetime | None = None, customer_ids: Collection[int] | None = None
) -> dict[int, float]:
    """Discount against list price of the lines in force, weighted by their ARR."""
    moment = moment or start_of(as_of)
    rows = _movements(moment, customer_ids).filter(effective_on__lt=as_of, line__isnull=False)
    in_force = dict(
        rows.values_list("line_id").annotate(total=Sum("arr_minor")).filter(total__gt=0)
    )
    priced = Line.objects.filter(voided_at__isnull=True).exclude(
        list_minor__isnull=True, discount_bp__isnull=True
    )
    if customer_ids is not None and len(customer_ids) <= FEW:
        priced = priced.filter(customer_id__in=sorted(customer_ids))
    sums: dict[int, tuple[Decimal, int]] = {}
    values = ("pk", "customer_id", "amount_minor", "list_minor", "discount_bp")
    for pk, customer_id, amount, listed, discount_bp in priced.order_by().values_list(*values):
        weight = in_force.get(pk)
        share = discount_of(amount, listed, discount_bp)
        if weight is None or share is None:
            continue
        before, total = sums.get(customer_id, (Decimal(0), 0))
        sums[customer_id] = (before + share * weight, total + weight)
    return {pk: float(total / weight) for pk, (total, weight) in sums.items()}


def discount_of(amount: int, listed: int | None, discount_bp: int | None) -> Decimal | None:
    """1 - amount / list price; the rate that was written down where there is no list price."""
    if listed:
        return 1 - Decimal(amount) / listed
    return None if discount_bp is None else Decimal(discount_bp) / FULL_BP
