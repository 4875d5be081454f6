"""Who is away, and whose work each does meanwhile."""

from datetime import date

from gengyun.team.calc.leave import Leave, stand_in
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.team.queries.people import members_below


def leaves_from(day: date) -> list[Leave]:
    """Those that are not over on the day."""
    rows = User.objects.filter(away_from__isnull=False, away_until__gte=day)
    told = rows.values_list("pk", "away_from", "away_until", "deputy_id")
    return [
        Leave(pk, first, last, deputy)
        for pk, first, last, deputy in told
        if first is not None and last is not None
    ]


def stands_in_for(user: User, day: date) -> list[int]:
    """Those whose work the user does on the day: where they are the last of the chain who is
    there. One question, and none for who covers nobody."""
    if not user.covered_ids(day):
        return []
    leaves = leaves_from(day)
    return [
        one.user_id
        for one in leaves
        if one.first <= day and stand_in(one.user_id, leaves, day) == user.pk
    ]


def may_set_leave(actor: User | None, user: User) -> bool:
    """One's own, or that of people whose books one may give away."""
    if actor is None or actor.pk == user.pk:
        return True
    return can(actor, "customer.assign") and members_below(actor).filter(pk=user.pk).exists()
