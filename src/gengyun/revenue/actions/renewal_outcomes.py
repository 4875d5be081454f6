"""A renewal that is lost, said before the grace days are over; and taking that back."""

from datetime import datetime, timedelta

from django.db import transaction

from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.renewals import (
    LossNeedsCause,
    RenewalDecided,
    RenewalNotDecided,
    keep,
    locked,
    tell,
)
from gengyun.revenue.calc.due import LOSSES
from gengyun.revenue.models import Contract, Line, Renewal, RenewalState
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

DAY = timedelta(days=1)


class LossStands(Refusal):
    code = "renewal_loss_stands"
    status = 409
    message = "Something was written after this loss; correct it on the contract."


@transaction.atomic
def lose(
    *,
    actor: User | None,
    now: datetime,
    renewal_id: int,
    cause: str,
    involuntary: bool = False,
    note: str = "",
) -> Renewal:
    """The customer will not renew: its lines end on their last day. `cause`: a cause's key."""
    require(actor, "renewal.work")
    renewal = locked(actor, renewal_id)
    if renewal.state != RenewalState.OPEN:
        raise RenewalDecided
    if not cause:
        raise LossNeedsCause
    before = [renewal.category, "lost"]
    lines = list(Line.objects.filter(renewal_lines__renewal=renewal, voided_at__isnull=True))
    # the right to say so is "renewal.work"; what it does to the contract follows from it
    terminate(
        actor=None,
        now=now,
        lines=lines,
        last_day=renewal.due_on,
        cause=cause,
        involuntary=involuntary,
        note=note,
    )
    renewal.refresh_from_db()
    renewal.note = note.strip()[:1000]
    renewal.save(update_fields=["note"])
    keep(renewal, {"lost": ["", cause]}, actor=actor, now=now, why=note)
    record(
        actor=actor,
        now=now,
        action="renewal.lost",
        obj=renewal,
        changes={"category": before, "cause": ["", cause], "involuntary": [False, involuntary]},
    )
    tell([renewal], now=now)
    return renewal


@transaction.atomic
def take_back_loss(*, actor: User | None, now: datetime, renewal_id: int, why: str = "") -> Renewal:
    """Not lost after all: the losses are corrected day for day, the renewal is open again."""
    require(actor, "renewal.work")
    renewal = locked(actor, renewal_id)
    if renewal.state != RenewalState.LOST:
        raise RenewalNotDecided
    lines = list(Line.objects.filter(renewal_lines__renewal=renewal, voided_at__isnull=True))
    book, rows = open_book(actor=None, now=now, lines=lines)
    undone = 0
    for line in rows:
        taken = {row.corrects_id for row in book.of_line(line)}
        for row in book.of_line(line):
            is_loss = row.kind in LOSSES and row.due_on == renewal.due_on and row.due_minor
            if is_loss and row.pk not in taken:
                book.post(
                    line, "correction", -row.arr_minor, row.effective_on, corrects=row,
                    note=why[:500], known_at=now,
                )  # fmt: skip
                undone += 1
        book.tell("line.loss_taken_back", line, {"why": [None, why]})
    if not undone:
        raise LossStands
    book.close()
    Contract.objects.filter(lines__in=rows, ended_on=renewal.due_on).update(
        ended_on=None, end_reason=""
    )
    renewal.refresh_from_db()
    keep(renewal, {"lost": [renewal.cause, ""]}, actor=actor, now=now, why=why)
    record(actor=actor, now=now, action="renewal.reopened", obj=renewal, changes={"why": ["", why]})
    tell([renewal], now=now)
    return renewal
