"""White space: products that customers do not have, and how much of their budget comes to us."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from gengyun.customers.models import Customer
from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.white_space import Budget, headroom, newest, share_of
from gengyun.revenue.models import (
    Line,
    LineKind,
    Movement,
    Opportunity,
    Product,
    WalletBudget,
)
from gengyun.team.models import User

SORTS = ("arr", "name", "headroom")
MOST_WITH_BUDGET = 5_000  # customers that are ordered by what is left of their budget


@dataclass(frozen=True)
class Filters:
    owner_id: int | None = None
    tier_id: int | None = None
    without_product: int | None = None  # those that pay for something, but not for this
    with_budget: bool = False
    text: str = ""


@dataclass(frozen=True)
class Cell:
    """One product for one customer."""

    product: Product
    arr: dict[str, int]  # currency -> ARR in force; empty: does not have it
    opportunity: Opportunity | None  # the open one that comes first
    is_bought: bool = False  # a licence or a service: it was paid once and has no ARR

    @property
    def has_it(self) -> bool:
        return self.is_bought or any(minor > 0 for minor in self.arr.values())


@dataclass(frozen=True)
class Wallet:
    """One named budget, our part of it and what is left."""

    budget: Budget
    share: Figure
    headroom_minor: int | None


@dataclass(frozen=True)
class Row:
    customer: Customer
    cells: list[Cell]
    wallets: list[Wallet]

    @property
    def missing(self) -> int:
        return sum(not cell.has_it for cell in self.cells)


def products() -> list[Product]:
    return list(Product.objects.filter(is_active=True))


def customers(actor: User | None, filters: Filters, *, today: date) -> QuerySet[Customer]:
    """Present customers that fit, in no order."""
    rows = Customer.objects.visible_to(actor).present()
    if filters.owner_id is not None:
        rows = rows.filter(owner_id=filters.owner_id)
    if filters.tier_id is not None:
        rows = rows.filter(tier_id=filters.tier_id)
    if filters.text:
        rows = rows.filter(name__icontains=filters.text)
    if filters.without_product is not None:
        paying = in_force(today).values("customer_id").annotate(arr=Sum("arr_minor"))
        having = paying.filter(product_id=filters.without_product, arr__gt=0)
        rows = rows.filter(pk__in=paying.filter(arr__gt=0).values("customer_id"))
        rows = rows.exclude(pk__in=having.values("customer_id"))
    if filters.with_budget:
        rows = rows.filter(pk__in=WalletBudget.objects.values("customer_id"))
    return rows.order_by()


def in_force(today: date) -> QuerySet[Movement]:
    """Every movement that has taken effect: ARR in force is their sum."""
    return Movement.objects.filter(effective_on__lte=today).order_by()


def page_of(
    actor: User | None, filters: Filters, *, today: date, sort: str, first: int, count: int
) -> tuple[list[Row], bool]:
    """Rows first..first+count of the order, and whether more follow."""
    rows = customers(actor, filters, today=today).select_related("owner", "tier")
    if sort == "headroom":
        keys = _by_headroom(rows, today)[first : first + count + 1]
        known = rows.in_bulk(keys)
        shown = [known[pk] for pk in keys if pk in known]
    else:
        by_arr = (F("arr_minor").desc(nulls_last=True), "pk")
        ordered = rows.order_by("name", "pk") if sort == "name" else rows.order_by(*by_arr)
        shown = list(ordered[first : first + count + 1])
    return rows_for(actor, shown[:count], today=today), len(shown) > count


def _by_headroom(rows: QuerySet[Customer], today: date) -> list[int]:
    """Customers that named a budget, most left of it first; then by key."""
    ids = list(
        rows.filter(pk__in=WalletBudget.objects.values("customer_id"))
        .order_by("pk")
        .values_list("pk", flat=True)[:MOST_WITH_BUDGET]
    )
    arr = arr_by_product(ids, today=today)
    families = {product.pk: product.family for product in Product.objects.all()}
    left = {
        pk: sum(wallet.headroom_minor or 0 for wallet in found)
        for pk, found in wallets(ids, arr, families).items()
    }
    return sorted(left, key=lambda pk: (-left[pk], pk))


def rows_for(actor: User | None, shown: Sequence[Customer], *, today: date) -> list[Row]:
    ids = [customer.pk for customer in shown]
    arr = arr_by_product(ids, today=today)
    columns = products()
    families = {product.pk: product.family for product in Product.objects.all()}
    budgets = wallets(ids, arr, families)
    opened = _open_opportunities(actor, ids)
    bought = _bought(ids, today)
    return [
        Row(
            customer,
            [
                Cell(
                    product,
                    arr.get(customer.pk, {}).get(product.pk, {}),
                    opened.get((customer.pk, product.pk)),
                    (customer.pk, product.pk) in bought,
                )
                for product in columns
            ],
            budgets.get(customer.pk, []),
        )
        for customer in shown
    ]


def arr_by_product(ids: Collection[int], *, today: date) -> dict[int, dict[Any, dict[str, int]]]:
    """Customer -> product (None: unknown) -> currency -> ARR in force; zeros are left out."""
    found: dict[int, dict[Any, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    wanted = sorted(ids)
    for start in range(0, len(wanted), 1_000):
        rows = in_force(today).filter(customer_id__in=wanted[start : start + 1_000])
        sums = rows.values_list("customer_id", "product_id", "currency")
        for pk, product, currency, total in sums.annotate(total=Sum("arr_minor")):
            if total:
                found[pk][product][currency] = total
    return {pk: dict(products_of) for pk, products_of in found.items()}


def wallets(
    ids: Collection[int],
    arr: dict[int, dict[Any, dict[str, int]]],
    families: dict[int, str],
) -> dict[int, list[Wallet]]:
    """Budgets of the newest year named, with our share. A category that is the family of a product
    counts its products; any other (or none) counts everything the customer buys from us."""
    named = newest((pk, budget) for pk, budget in _budgets(ids))
    known = set(families.values()) - {""}
    found: dict[int, list[Wallet]] = {}
    for pk, budgets in named.items():
        for budget in budgets:
            ours: dict[str, int] = defaultdict(int)
            for product, amounts in arr.get(pk, {}).items():
                if budget.category in known and families.get(product) != budget.category:
                    continue
                for currency, minor in amounts.items():
                    ours[currency] += minor
            wallet = Wallet(budget, share_of(ours, budget), headroom(ours, budget))
            found.setdefault(pk, []).append(wallet)
    return found


def _budgets(ids: Collection[int]) -> list[tuple[int, Budget]]:
    rows = WalletBudget.objects.filter(customer_id__in=list(ids)).select_related("author")
    return [
        (
            row.customer_id,
            Budget(
                row.category,
                row.year,
                row.amount_minor,
                row.currency,
                row.said_by,
                row.said_on,
                row.author.name if row.author else "",
            ),
        )
        for row in rows.order_by("-known_at", "-pk")
    ]


def budgets_said(actor: User | None, customer_id: int) -> list[Any]:
    """Every statement, newest first."""
    rows = WalletBudget.objects.visible_to(actor).filter(customer_id=customer_id)
    return list(rows.select_related("author").order_by("-year", "category", "-known_at", "-pk"))


def _bought(ids: Collection[int], today: date) -> set[tuple[int, int]]:
    """(customer, product) of licences and services, which are paid once."""
    rows = Line.objects.filter(
        customer_id__in=list(ids),
        kind__in=(LineKind.LICENCE, LineKind.ONE_OFF),
        voided_at__isnull=True,
        starts_on__lte=today,
    )
    return set(rows.order_by().values_list("customer_id", "product_id").distinct())


def _open_opportunities(
    actor: User | None, ids: Sequence[int]
) -> dict[tuple[int, int], Opportunity]:
    rows = Opportunity.objects.visible_to(actor).filter(
        Q(stage__is_won=False, stage__is_lost=False),
        customer_id__in=ids,
        product__isnull=False,
    )
    ordered = rows.select_related("stage").order_by(F("expected_on").desc(nulls_first=True), "-pk")
    # the last one written is the one that is expected first
    return {(row.customer_id, row.product_id or 0): row for row in ordered}
