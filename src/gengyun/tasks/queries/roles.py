"""Who does the work of a role at a customer."""

from collections.abc import Collection, Mapping

from gengyun.customers.models import Customer
from gengyun.team.models import Role, Team, User

# roles a task can wait for; a viewer works on nothing
ROLES = (Role.CSM, Role.LEADER, Role.OPERATIONS, Role.ADMIN)


def holders(role: str, customer_ids: Collection[int]) -> dict[int, int | None]:
    """Customer -> the user who holds the role there. CSM: its owner; leader: who leads the owner's
    team, or the nearest team above; operations and administrators share one queue: nobody yet."""
    rows = Customer.objects.filter(pk__among=sorted(set(customer_ids))).order_by()
    owners: dict[int, int | None] = dict(rows.values_list("pk", "owner_id"))
    if role == Role.CSM:
        return owners
    if role == Role.LEADER:
        found = _leaders_above({owner for owner in owners.values() if owner is not None})
        return {pk: found.get(owner or 0) for pk, owner in owners.items()}
    return dict.fromkeys(owners, None)


def _leaders_above(owner_ids: Collection[int]) -> Mapping[int, int | None]:
    above = dict(Team.objects.values_list("pk", "parent_id"))
    rows = User.objects.filter(role=Role.LEADER, is_active=True, team__isnull=False)
    leaders = dict(rows.order_by("-pk").values_list("team_id", "pk"))
    found: dict[int, int | None] = {}
    for pk, team_id in User.objects.filter(pk__in=owner_ids).values_list("pk", "team_id"):
        seen: set[int] = set()
        here: int | None = team_id
        while here is not None and here not in leaders and here not in seen:
            seen.add(here)
            here = above.get(here)
        found[pk] = leaders.get(here) if here is not None else None
    return found
