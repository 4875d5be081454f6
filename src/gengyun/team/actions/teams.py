"""Teams: who leads whom. A leader sees what the team and the teams below it own."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import Team, User
from gengyun.team.queries.access import require, team_ids_below


class TeamNameMissing(Refusal):
    code = "team_name_missing"
    message = "A team needs a name."


class TeamNameTaken(Refusal):
    code = "team_name_taken"
    status = 409
    message = "There is already a team named %(name)s."


class TeamInsideItself(Refusal):
    code = "team_inside_itself"
    message = "A team cannot lie below itself."


class TeamNotEmpty(Refusal):
    code = "team_not_empty"
    status = 409
    message = "The team still has members or teams below it."


@transaction.atomic
def create_team(
    *, actor: User | None, now: datetime, name: str, parent: Team | None = None
) -> Team:
    require(actor, "team.edit")
    team = Team.objects.create(name=_clean_name(name), parent=parent)
    record(actor=actor, now=now, action="team.create", obj=team)
    return team


@transaction.atomic
def edit_team(
    *, actor: User | None, now: datetime, team: Team, name: str, parent: Team | None
) -> Team:
    require(actor, "team.edit")
    row = _locked(team)
    if parent is not None and parent.pk in team_ids_below(row.pk):
        raise TeamInsideItself
    told: dict[str, list[Any]] = {}
    name = _clean_name(name, row)
    if name != row.name:
        told["name"] = [row.name, name]
    if parent != row.parent:
        told["parent"] = [str(row.parent or ""), str(parent or "")]
    if told:
        row.name, row.parent = name, parent
        row.save()
        record(actor=actor, now=now, action="team.edit", obj=row, changes=told)
    return row


@transaction.atomic
def delete_team(*, actor: User | None, now: datetime, team: Team) -> None:
    require(actor, "team.edit")
    row = _locked(team)
    if row.members.exists() or Team.objects.filter(parent=row).exists():
        raise TeamNotEmpty
    record(actor=actor, now=now, action="team.delete", obj=row)
    row.delete()


def _locked(team: Team) -> Team:
    row = Team.objects.select_for_update().filter(pk=team.pk).first()
    if row is None:
        raise NotFound
    return row


def _clean_name(name: str, team: Team | None = None) -> str:
    name = name.strip()[:80]
    if not name:
        raise TeamNameMissing
    others = Team.objects.filter(name=name)
    if team is not None:
        others = others.exclude(pk=team.pk)
    if others.exists():
        raise TeamNameTaken(name=name)
    return name
