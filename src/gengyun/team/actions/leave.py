"""Leave: from when to when somebody is away, and who stands in."""

from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.calc.leave import covers
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.team.queries.leave import leaves_from, may_set_leave
from gengyun.team.queries.people import possible_owners

LONGEST_DAYS = 400
MOST_AHEAD = timedelta(days=730)


class LeaveDaysBad(Refusal):
    code = "leave_days_bad"
    message = "The last day of a leave is not before its first, and not past."


class LeaveTooLong(Refusal):
    code = "leave_too_long"
    message = "A leave lasts at most %(days)s days and begins within two years."


class DeputyUnfit(Refusal):
    code = "deputy_unfit"
    message = "Choose an active colleague who looks after customers."


class DeputyIsSelf(Refusal):
    code = "deputy_is_self"
    message = "Nobody stands in for themselves."


@transaction.atomic
def set_leave(
    *,
    actor: User | None,
    now: datetime,
    user: User,
    first: date,
    last: date,
    deputy: User | None,
) -> User:
    """One's own leave, or a member's for whoever leads them. It replaces the one before; without
    a deputy the work stays and waits."""
    row = _locked(actor, user)
    if last < first or last < day_of(now):
        raise LeaveDaysBad
    if (last - first).days >= LONGEST_DAYS or first - day_of(now) > MOST_AHEAD:
        raise LeaveTooLong(days=LONGEST_DAYS)
    if deputy is not None:
        if deputy.pk == row.pk:
            raise DeputyIsSelf
        if not possible_owners().filter(pk=deputy.pk).exists():
            raise DeputyUnfit
    return _write(actor, now, row, (first, last), deputy)


@transaction.atomic
def end_leave(*, actor: User | None, now: datetime, user: User) -> User:
    """Back, or not going after all."""
    return _write(actor, now, _locked(actor, user), None, None)


def _locked(actor: User | None, user: User) -> User:
    require(actor, "task.work")
    row = User.objects.select_for_update().filter(pk=user.pk, is_active=True).first()
    if row is None or not may_set_leave(actor, row):
        raise NotFound
    return row


def _write(
    actor: User | None,
    now: datetime,
    row: User,
    days: tuple[date, date] | None,
    deputy: User | None,
) -> User:
    first, last = days or (None, None)
    old = {"away_from": row.away_from, "away_until": row.away_until, "deputy": row.deputy}
    new = {"away_from": first, "away_until": last, "deputy": deputy}
    told = {name: [_plain(old[name]), _plain(new[name])] for name in old if old[name] != new[name]}
    if told:
        User.objects.filter(pk=row.pk).update(**new)
        record(actor=actor, now=now, action="user.leave", obj=row, changes=told)
        refresh_covers(today=day_of(now))
    return User.objects.get(pk=row.pk)


def refresh_covers(*, today: date) -> None:
    """Who stands in for whom, from the leaves that are not over."""
    leaves = leaves_from(today)
    wanted = {
        pk: [[whom, first.isoformat(), last.isoformat()] for whom, first, last in rows]
        for pk, rows in covers(leaves).items()
    }
    for user in User.objects.only("covers"):
        found = wanted.get(user.pk, [])
        if user.covers != found:
            User.objects.filter(pk=user.pk).update(covers=found)


def _plain(value: object) -> object:
    return value.pk if isinstance(value, User) else value
