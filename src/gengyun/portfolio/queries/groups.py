"""The group a customer belongs to: everything under its topmost parent, as an actor sees it."""

from collections import defaultdict
from dataclasses import dataclass

from gengyun.customers.models import Customer
from gengyun.portfolio.calc.groups import RollUp, Share, roll_up
from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import User

MOST = 500  # companies of a group that are shown and added up
DEEPEST = 20


@dataclass(frozen=True)
class Member:
    row: CustomerSummary
    depth: int  # 0: the topmost
    is_self: bool


@dataclass(frozen=True)
class Group:
    members: list[Member]  # as a tree, largest first among brothers; those the actor sees
    hidden_count: int  # in the group, but not for this actor: in no figure
    total: RollUp
    worst: CustomerSummary | None


def group_of(actor: User | None, customer: Customer) -> Group | None:
    """None for a customer that stands alone."""
    if customer.parent_id is None and not Customer.objects.filter(parent=customer).exists():
        return None
    parents = _below(_topmost(customer))
    seen = CustomerSummary.objects.visible_to(actor).select_related("owner", "tier", "stage")
    rows = {row.pk: row for row in seen.filter(pk__in=list(parents))}
    present = set(
        Customer.objects.present().filter(pk__in=list(parents)).values_list("pk", flat=True)
    )
    members = _as_tree(parents, rows, customer.pk)
    shares = [
        Share(m.row.pk, m.row.arr_minor, m.row.currency, m.row.score, m.row.band) for m in members
    ]
    total = roll_up(shares)
    return Group(
        members, len(present) - len(members), total, rows[total.worst] if total.worst else None
    )


def _topmost(customer: Customer) -> int:
    top, above = customer.pk, customer.parent_id
    for _ in range(DEEPEST):
        if above is None:
            break
        top = above
        above = Customer.objects.filter(pk=top).values_list("parent_id", flat=True).first()
    return top


def _below(top: int) -> dict[int, int | None]:
    """customer -> its parent, for the topmost and everything under it."""
    found: dict[int, int | None] = {top: None}
    level = [top]
    for _ in range(DEEPEST):
        if not level or len(found) >= MOST:
            break
        rows = Customer.objects.filter(parent_id__in=level).order_by("pk")
        level = []
        for pk, parent in rows.values_list("pk", "parent_id")[: MOST - len(found)]:
            if pk not in found:
                found[pk] = parent
                level.append(pk)
    return found


def _as_tree(
    parents: dict[int, int | None], rows: dict[int, CustomerSummary], self_pk: int
) -> list[Member]:
    children: dict[int | None, list[int]] = defaultdict(list)
    for pk, parent in parents.items():
        children[parent].append(pk)
    members: list[Member] = []

    def walk(pk: int, depth: int) -> None:
        if pk in rows:
            members.append(Member(rows[pk], depth, pk == self_pk))
        below = children.get(pk, ())
        for child in sorted(below, key=lambda one: (-_amount(rows.get(one)), one)):
            walk(child, depth + (pk in rows))

    for top in children[None]:
        walk(top, 0)
    return members


def _amount(row: CustomerSummary | None) -> int:
    return (row.arr_minor or 0) if row else 0
