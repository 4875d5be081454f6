"""Putting a need off, calling it done, and taking that back."""

from datetime import date, datetime, timedelta
from typing import cast

from django.db import transaction

from gengyun.customers.queries.customers import get
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.calc.needs import Need
from gengyun.portfolio.models import CustomerSummary, Snooze
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

MAX_SNOOZE_DAYS = 90


class SnoozeDayBad(Refusal):
    code = "snooze_day_bad"
    message = "Choose a day after today, at most %(days)s days away."


@transaction.atomic
def snooze_need(*, actor: User, now: datetime, customer_id: int, code: str, until: date) -> Snooze:
    """Hide a need until a day; it comes back earlier if it becomes more urgent."""
    if not 0 < (until - day_of(now)).days <= MAX_SNOOZE_DAYS:
        raise SnoozeDayBad(days=MAX_SNOOZE_DAYS)
    return _put_off(actor, now, customer_id, code, until)


@transaction.atomic
def finish_need(*, actor: User, now: datetime, customer_id: int, code: str) -> Snooze:
    """This occurrence is dealt with; a new one, or a more urgent one, is shown again."""
    return _put_off(actor, now, customer_id, code, None)


@transaction.atomic
def undo_need(*, actor: User, now: datetime, customer_id: int, code: str) -> None:
    """Show the need again, as if nothing had been done."""
    require(actor, "activity.write")
    customer = get(actor, customer_id)
    need = _need(customer_id, code)
    found = Snooze.objects.filter(customer=customer, code=code, since=need["since"]).first()
    if found is None:
        raise NotFound
    record(actor=actor, now=now, action="need.reopened", obj=customer, changes={"need": code})
    found.delete()


def _put_off(actor: User, now: datetime, customer_id: int, code: str, until: date | None) -> Snooze:
    require(actor, "activity.write")
    customer = get(actor, customer_id)
    need = _need(customer_id, code)
    snooze, _ = Snooze.objects.update_or_create(
        customer=customer,
        code=code,
        since=date.fromisoformat(need["since"]),
        defaults={
            "user": actor,
            "severity": need["severity"],
            "until": until,
            "created_at": now,
        },
    )
    action = "need.finished" if until is None else "need.snoozed"
    changes = {"need": code, "until": until.isoformat() if until else None}
    record(actor=actor, now=now, action=action, obj=customer, changes=changes)
    return snooze


def _need(customer_id: int, code: str) -> Need:
    row = CustomerSummary.objects.filter(pk=customer_id).only("needs").first()
    for need in row.needs if row else ():
        if need["code"] == code:
            return cast("Need", need)
    raise NotFound


def tomorrow(now: datetime) -> date:
    """The day "later" means where no day was chosen."""
    return day_of(now) + timedelta(days=1)
