"""ARR on any day, as known then: always the sum of movements.

`on`: movements effective by the end of that day. `known_by`: only what was known then. Judged as of
day D (as health and metrics are): `on` the day before D, `known_by` the start of D: `as_of(D)`.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum

from gengyun.kernel.days import start_of
from gengyun.kernel.errors import NotFound
from gengyun.revenue.models import Contract, Line, Movement
from gengyun.team.models import User

FEW = 2_000  # ids that go into a query
Amounts = dict[str, int]  # currency -> minor units


def get_contract(actor: User | None, pk: int) -> Contract:
    found = Contract.objects.visible_to(actor).select_related("customer").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def get_line(actor: User | None, pk: int) -> Line:
    rows = Line.objects.visible_to(actor).select_related("contract", "customer", "product")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def effective(on: date, *, known_by: datetime | None = None) -> QuerySet[Movement]:
    rows = Movement.objects.filter(effective_on__lte=on)
    return rows if known_by is None else rows.filter(known_at__lte=known_by)


def as_of(day: date) -> QuerySet[Movement]:
    """What had happened and was known before the company's day began."""
    return Movement.objects.filter(effective_on__lt=day, known_at__lt=start_of(day))


def total_on(on: date, *, known_by: datetime | None = None, actor: User | None = None) -> Amounts:
    """ARR of all customers that the actor may see, by currency."""
    rows = effective(on, known_by=known_by)
    if actor is not None:
        rows = rows.filter(pk__in=Movement.objects.visible_to(actor).values("pk"))
    sums = rows.order_by().values_list("currency").annotate(Sum("arr_minor"))
    return {code: minor for code, minor in sums if minor}


def arr_of(customer_id: int, on: date, *, known_by: datetime | None = None) -> Amounts:
    """One customer's ARR by currency; empty where there is none."""
    return arr_on(on, known_by=known_by, customer_ids=[customer_id]).get(customer_id, {})


def arr_on(
    on: date,
    *,
    known_by: datetime | None = None,
    customer_ids: Collection[int] | None = None,
) -> dict[int, Amounts]:
    """ARR by customer and currency; customers without any are left out."""
    return _by(effective(on, known_by=known_by), "customer_id", customer_ids)


def arr_of_lines(
    on: date, *, known_by: datetime | None = None, customer_ids: Collection[int] | None = None
) -> dict[int, int]:
    """ARR in force by line, in the line's currency."""
    rows = _among(effective(on, known_by=known_by), customer_ids).filter(line__isnull=False)
    sums = rows.order_by().values_list("line_id").annotate(Sum("arr_minor"))
    return {line: minor for line, minor in sums if minor}


def arr_of_contracts(
    on: date, *, customer_id: int, known_by: datetime | None = None
) -> dict[int, int]:
    """ARR in force by contract, in the contract's currency."""
    rows = effective(on, known_by=known_by).filter(customer_id=customer_id, contract__isnull=False)
    sums = rows.order_by().values_list("contract_id").annotate(Sum("arr_minor"))
    return {contract: minor for contract, minor in sums if minor}


def series(
    customer_id: int, days: Sequence[date], *, known_by: datetime | None = None
) -> dict[str, list[int]]:
    """ARR of a customer on each of the rising days, by currency."""
    if not days:
        return {}
    rows = effective(days[-1], known_by=known_by).filter(customer_id=customer_id)
    found: dict[str, list[int]] = {}
    for on, code, minor in rows.order_by("effective_on").values_list(
        "effective_on", "currency", "arr_minor"
    ):
        values = found.setdefault(code, [0] * len(days))
        for at, day in enumerate(days):
            if on <= day:
                values[at] += minor
    return found


def movements_of(
    actor: User | None, customer_id: int, *, known_by: datetime | None = None
) -> QuerySet[Movement]:
    """The customer's ledger, newest first."""
    rows = Movement.objects.visible_to(actor).filter(customer_id=customer_id)
    if known_by is not None:
        rows = rows.filter(known_at__lte=known_by)
    rows = rows.select_related("line", "contract", "product", "actor")
    return rows.order_by("-effective_on", "-pk")


@dataclass(frozen=True)
class DueLine:
    """A line that comes due and that nothing answers yet. `due_on`: its last day."""

    line_id: int
    customer_id: int
    contract_id: int
    product_id: int
    group: str
    currency: str
    due_on: date
    due_minor: int


def unanswered_lines(
    *,
    until: date,
    since: date | None = None,
    customer_ids: Collection[int] | None = None,
) -> list[DueLine]:
    """Lines ending in [since, until] that neither a successor nor an end has answered.

    A line is answered when its movements, scheduled ones included, add up to nothing; a pause is no
    answer.
    """
    rows = _among(Movement.objects.filter(line__ends_on__lte=until), customer_ids)
    rows = rows.exclude(kind__in=("pause", "resume")).filter(line__voided_at__isnull=True)
    if since is not None:
        rows = rows.filter(line__ends_on__gte=since)
    # by the key alone, which the index of movements is ordered by; then the few that are left
    sums = rows.order_by().values_list("line_id").annotate(Sum("arr_minor"))
    left = dict(sums.exclude(arr_minor__sum=0))
    columns = (
        "pk", "customer_id", "contract_id", "product_id", "group", "currency", "ends_on",
    )  # fmt: skip
    found = []
    for start in range(0, len(left), FEW):
        part = list(left)[start : start + FEW]
        lines = Line.objects.filter(pk__in=part).order_by().values_list(*columns)
        found += [DueLine(*line, left[line[0]]) for line in lines]
    return sorted(found, key=lambda due: (due.due_on, due.line_id))


def days_of_months(first: date, last: date) -> list[date]:
    """The last day of every month that ends in [first, last]."""
    found = []
    day = (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    while day <= last:
        found.append(day)
        day = (day + timedelta(days=33)).replace(day=1) - timedelta(days=1)
    return found


def _among(rows: QuerySet[Movement], customer_ids: Collection[int] | None) -> QuerySet[Movement]:
    if customer_ids is None:
        return rows
    return rows.filter(customer_id__in=list(customer_ids))


def _by(
    rows: QuerySet[Movement], column: str, customer_ids: Collection[int] | None
) -> dict[int, Amounts]:
    found: dict[int, Amounts] = defaultdict(dict)
    parts: list[Collection[int] | None] = [None]
    if customer_ids is not None:
        ids = sorted(customer_ids)
        parts = [ids[start : start + FEW] for start in range(0, len(ids), FEW)]
    for part in parts:
        sums: Any = _among(rows, part).order_by().values_list(column, "currency")
        for key, code, minor in sums.annotate(Sum("arr_minor")):
            if minor:
                found[key][code] = minor
    return dict(found)
