"""Time limits that passed: the leader is told, then the leader above."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from gengyun.alerts.models import Alert, AlertEvent
from gengyun.team.models import Role, Team, User

NO_RESPONSE, NOT_RESOLVED = 1, 2


@transaction.atomic
def escalate_due(*, now: datetime) -> int:
    """Level 1: nobody responded in time. Level 2: not resolved in time. Each once per alert."""
    open_ = Alert.objects.tickets().filter(state=Alert.State.OPEN, in_digest=False)
    due = open_.filter(
        Q(response_due_at__lt=now, responded_at__isnull=True, escalation_level__lt=NO_RESPONSE)
        | Q(resolve_due_at__lt=now, escalation_level__lt=NOT_RESOLVED)
    )
    teams = dict(Team.objects.values_list("pk", "parent_id"))
    leaders: dict[int | None, User] = {}
    for leader in User.objects.filter(role=Role.LEADER, is_active=True).order_by("-pk"):
        leaders[leader.team_id] = leader
    operations = User.objects.filter(role=Role.OPERATIONS, is_active=True).order_by("pk").first()
    events = []
    for alert in due.select_related("owner").select_for_update(of=("self",)):
        is_late = alert.resolve_due_at is not None and alert.resolve_due_at < now
        level = NOT_RESOLVED if is_late else NO_RESPONSE
        to = _above(alert.owner, teams, leaders) or operations
        alert.escalated_at, alert.escalation_level, alert.escalated_to = now, level, to
        alert.updated_at = now
        alert.save(update_fields=["escalated_at", "escalation_level", "escalated_to", "updated_at"])
        detail = {"level": level, "to": to.pk if to else None}
        events.append(
            AlertEvent(alert=alert, at=now, kind=AlertEvent.Kind.ESCALATED, detail=detail)
        )
    AlertEvent.objects.bulk_create(events)
    return len(events)


def _above(
    owner: User | None, teams: Mapping[int, int | None], leaders: Mapping[int | None, User]
) -> User | None:
    """The leader of the owner's team, or of the nearest team above that has another one."""
    team_id = owner.team_id if owner is not None else None
    for _ in range(len(teams) + 1):
        if team_id is None:
            return None
        leader = leaders.get(team_id)
        if leader is not None and leader.pk != (owner.pk if owner else None):
            return leader
        team_id = teams.get(team_id)
    return None
