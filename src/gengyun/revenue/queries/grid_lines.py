"""What a line of the renewals grid says, in one query and plain tuples: fifty renewals with their
customer, its owner and tier, and the product as models take several times as long."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import msgspec
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from gengyun.revenue.models import Renewal


class Named(NamedTuple):
    """Of a tier or a product."""

    name_zh: str
    name_en: str


class Person(NamedTuple):
    name: str


class CustomerOf(NamedTuple):
    name: str
    owner_id: int | None
    owner: Person | None
    tier_id: int | None
    tier: Named | None


class GridLine(NamedTuple):
    """`Renewal` as far as the grid shows it."""

    pk: int
    customer_id: int
    group: str
    product_id: int | None
    due_on: date
    due_minor: int
    currency: str
    state: str
    category: str
    forecast_minor: int | None
    signal: str
    gap: int
    churn_probability: float | None
    asked_minor: int | None
    signal_why: list[list[Any]]
    customer: CustomerOf
    product: Named | None


_PLAIN = GridLine._fields[:-3]
_BESIDE = (
    "customer__name", "customer__owner_id", "customer__owner__name",
    "customer__tier_id", "customer__tier__name_zh", "customer__tier__name_en",
    "product__name_zh", "product__name_en",
)  # fmt: skip


@cache
def _listed() -> QuerySet[Renewal, tuple[Any, ...]]:
    """What is asked for, put together once."""
    # as text: Django's way of reading JSON takes several times as long
    why = Cast(F("signal_why"), TextField())
    return Renewal.objects.order_by().values_list(*_PLAIN, why, *_BESIDE)


def lines_of(keys: Iterable[int]) -> dict[int, GridLine]:
    """Key -> renewal with what a line shows."""
    return {row[0]: _line(row) for row in _listed().filter(pk__in=set(keys))}


def _line(row: tuple[Any, ...]) -> GridLine:
    end = len(_PLAIN)
    why, name, owner_id, owner, tier_id, *names = row[end:]
    customer = CustomerOf(
        name,
        owner_id,
        None if owner_id is None else Person(owner),
        tier_id,
        None if tier_id is None else Named(*names[:2]),
    )
    product = None if names[2] is None else Named(*names[2:])
    return GridLine._make((*row[:end], msgspec.json.decode(why), customer, product))
