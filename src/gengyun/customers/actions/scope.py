"""The rows an action works on: locked, and only those that the actor may see."""

from collections.abc import Iterable

from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User

BATCH = 5_000


def all_mine(actor: User | None, customers: Iterable[Customer]) -> list[Customer]:
    """Fresh rows in the order of their ids; one that the actor may not see refuses them all."""
    ids = sorted({customer.pk for customer in customers})
    rows: list[Customer] = []
    for start in range(0, len(ids), BATCH):
        visible = Customer.objects.visible_to(actor).select_for_update()
        rows.extend(visible.filter(pk__in=ids[start : start + BATCH]).order_by("pk"))
    if len(rows) != len(ids):
        raise NotFound
    return rows


def mine(actor: User | None, customer: Customer) -> Customer:
    return all_mine(actor, [customer])[0]
