"""Share of wallet of every customer that named a budget, the most left first."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from gengyun.customers.models import Customer
from gengyun.revenue.models import Product, WalletBudget
from gengyun.revenue.queries import white_space
from gengyun.team.models import User

MOST = 5_000


@dataclass(frozen=True)
class Named:
    customer: Customer
    wallet: white_space.Wallet


@dataclass(frozen=True)
class Wallets:
    rows: list[Named]
    customers: int  # that the actor sees
    named: int  # of them with a budget


def wallets(actor: User | None, *, among: Q | None, today: date) -> Wallets:
    present = Customer.objects.visible_to(actor).present()
    if among is not None:
        present = present.filter(among)
    having = present.filter(pk__in=WalletBudget.objects.values("customer_id"))
    rows = having.select_related("owner", "tier").order_by("pk")[:MOST]
    customers = {row.pk: row for row in rows}
    arr = white_space.arr_by_product(customers, today=today)
    families = {product.pk: product.family for product in Product.objects.all()}
    found = [
        Named(customers[pk], wallet)
        for pk, held in white_space.wallets(customers, arr, families).items()
        for wallet in held
    ]
    found.sort(key=lambda one: (-(one.wallet.headroom_minor or 0), one.customer.pk))
    return Wallets(found, present.count(), len(customers))
