"""Writing down what puts a customer at risk, and that it is over."""

from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.customers.models import Customer
from gengyun.engagement.models import Risk
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

NOTE_LENGTH = 300
OLDEST = timedelta(days=730)


class RiskDayBad(Refusal):
    code = "risk_day_bad"
    message = "Choose a day that has come, of the last two years."


class RiskCauseMissing(Refusal):
    code = "risk_cause_missing"
    message = "Say what the risk is."


class RiskOver(Refusal):
    code = "risk_over"
    status = 409
    message = "This risk is over already."


@transaction.atomic
def note_risk(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    cause: str,
    happened_on: date,
    note: str = "",
) -> Risk:
    """A fact with the key of its cause. The same cause that is not over yet is not noted twice:
    the earlier day and the new words stay."""
    require(actor, "activity.write")
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound
    today = day_of(now)
    if not today - OLDEST <= happened_on <= today:
        raise RiskDayBad
    if not cause:
        raise RiskCauseMissing
    kept = note.strip()[:NOTE_LENGTH]
    open_ = Risk.objects.filter(customer_id=customer.pk, cause=cause, ended_at__isnull=True)
    risk = open_.select_for_update().order_by("pk").first()
    if risk is None:
        risk = Risk.objects.create(
            customer_id=customer.pk,
            cause=cause,
            happened_on=happened_on,
            note=kept,
            author=actor,
            known_at=now,
        )
    elif kept and kept != risk.note:
        risk.note = kept
        risk.save(update_fields=["note"])
    told = {"cause": [None, cause], "happened_on": [None, happened_on.isoformat()]}
    record(actor=actor, now=now, action="risk.noted", obj=risk, changes=told)
    emit("risk.changed", {"customer_ids": [risk.customer_id]}, now=now)
    return risk


@transaction.atomic
def end_risk(*, actor: User | None, now: datetime, risk: Risk, mistaken: bool = False) -> Risk:
    """Settled; or it was a mistake, and nothing may learn from it."""
    require(actor, "activity.write")
    seen = Risk.objects.visible_to(actor).filter(pk=risk.pk)
    row = seen.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    if row.ended_at is not None:
        raise RiskOver
    row.ended_at, row.ended_by = now, actor
    row.end = Risk.End.MISTAKEN if mistaken else Risk.End.SETTLED
    row.save(update_fields=["ended_at", "ended_by", "end"])
    told = {"end": ["", row.end]}
    record(actor=actor, now=now, action="risk.ended", obj=row, changes=told)
    emit("risk.changed", {"customer_ids": [row.customer_id]}, now=now)
    return row


@transaction.atomic
def resume_risk(*, actor: User | None, now: datetime, risk: Risk) -> Risk:
    """Undo of `end_risk`."""
    require(actor, "activity.write")
    seen = Risk.objects.visible_to(actor).filter(pk=risk.pk)
    row = seen.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    before = row.end
    row.ended_at, row.ended_by, row.end = None, None, ""
    row.save(update_fields=["ended_at", "ended_by", "end"])
    record(actor=actor, now=now, action="risk.resumed", obj=row, changes={"end": [before, ""]})
    emit("risk.changed", {"customer_ids": [row.customer_id]}, now=now)
    return row
