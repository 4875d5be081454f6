"""What an actor may do and whose customers they may see.

Seeing is decided in queries: `visible_to(actor)` on every QuerySet that hangs on a customer uses
`customer_scope(actor)`. Doing is decided by `require(actor, capability)` in actions and by the
access decorators of pages.
"""

from django.db.models import Q

from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed
from gengyun.team.models import Role, Team, User

# capability -> roles
CAPABILITIES: dict[str, frozenset[str]] = {
    "customer.edit": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "customer.create": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "customer.assign": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "customer.merge": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "customer.import": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "activity.write": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "alert.work": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "task.work": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "contract.edit": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "renewal.work": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "renewal.decide": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "opportunity.edit": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "view.share": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    # SOPs and segments: written and published; CSMs see them and start them by hand
    "sops.edit": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "sops.start": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    "segments.edit": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    # spend, salaries and what follows from them
    "economics.read": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "settings.read": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "settings.edit": frozenset({Role.ADMIN, Role.OPERATIONS}),
    "sources.edit": frozenset({Role.ADMIN, Role.OPERATIONS}),
    "team.edit": frozenset({Role.ADMIN}),
    "audit.read": frozenset({Role.ADMIN}),
    # messages to customers: drafts approved, plans taken back, opt-outs noted
    "touches.write": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
    # surveys: written by few; links go out by whoever works with the customer
    "survey.edit": frozenset({Role.ADMIN, Role.LEADER, Role.OPERATIONS}),
    "survey.send": frozenset({Role.ADMIN, Role.LEADER, Role.CSM, Role.OPERATIONS}),
}

SEES_ALL = frozenset({Role.ADMIN, Role.OPERATIONS, Role.VIEWER})


def can(actor: User, capability: str) -> bool:
    return actor.is_active and actor.role in CAPABILITIES[capability]


def require(actor: User | None, capability: str) -> None:
    """Refuse unless the role holds the capability. `None` is the system itself (worker, CLI)."""
    if actor is not None and not can(actor, capability):
        raise NotAllowed


def team_ids_below(team_id: int | None) -> list[int]:
    """The team and all teams under it."""
    if team_id is None:
        return []
    children: dict[int | None, list[int]] = {}
    for pk, parent in Team.objects.values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(pk)
    found, todo = [], [team_id]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(children.get(current, []))
    return found


def customer_scope(actor: User | None, *, owner: str = "owner") -> Q:
    """Condition for "customers this actor may see"; `owner` is the path to the owner's foreign key.

    Administrators, operations and viewers see all; a leader sees what they or their team (with the
    teams below) own; a CSM sees what they own; both also what a colleague on leave owns for whom
    they stand in. An unowned customer is seen by those who see all.
    """
    if actor is None or actor.role in SEES_ALL:
        return Q()
    own = Q(**{f"{owner}_id": actor.pk})
    # whoever stands in for somebody on leave must be able to do their work
    if actor.covers and (covered := actor.covered_ids(day_of(utc_now()))):
        own |= Q(**{f"{owner}_id__in": covered})
    if actor.role == Role.LEADER and actor.team_id is not None:
        members = list(
            User.objects.filter(team_id__in=team_ids_below(actor.team_id)).values_list(
                "pk", flat=True
            )
        )
        return own | Q(**{f"{owner}_id__in": members})
    return own
