"""Finding users and teams."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from gengyun.kernel.errors import NotFound
from gengyun.team.models import Role, Team, User
from gengyun.team.queries.access import SEES_ALL, require, team_ids_below

OWNING = (Role.CSM, Role.LEADER, Role.ADMIN, Role.OPERATIONS)  # a viewer owns no customer


def users(actor: User) -> QuerySet[User]:
    """Everybody, for the settings page; for administrators, operations and leaders."""
    require(actor, "settings.read")
    return User.objects.select_related("team").order_by("-is_active", "name", "pk")


def get_user(actor: User, pk: int) -> User:
    found = users(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def teams(actor: User) -> QuerySet[Team]:
    require(actor, "settings.read")
    return Team.objects.select_related("parent")


def get_team(actor: User, pk: int) -> Team:
    found = teams(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def possible_owners() -> QuerySet[User]:
    """Who a customer can be given to."""
    return User.objects.filter(is_active=True, role__in=OWNING)


def members_below(actor: User) -> QuerySet[User]:
    """Whose books the actor may look at: for the switch "me / my team" and the owner filter."""
    if actor.role in SEES_ALL:
        return possible_owners()
    if actor.role == Role.LEADER and actor.team_id is not None:
        below = User.objects.filter(team_id__in=team_ids_below(actor.team_id))
        return (below | User.objects.filter(pk=actor.pk)).order_by("name", "pk")
    return User.objects.filter(pk=actor.pk)


def login_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The account that wrong passwords are counted for: other capitals are no fresh start."""
    given = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(given).strip().lower()[:254]  # no address is longer


def by_email(email: str) -> User | None:
    """Addresses are compared without regard to capital letters."""
    return User.objects.filter(email__iexact=email.strip()).first()
