"""Started by a person: of whom they chose nobody is held out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.sop.actions.entering import enter
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import judge
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

MOST = 5_000


class SopDoesNotRun(Refusal):
    code = "sop_does_not_run"
    status = 409
    message = "This SOP does not run, so nobody can start it."


class TooManyAtOnce(Refusal):
    code = "sop_too_many_at_once"
    message = "At most %(most)s customers at once."


@transaction.atomic
def enter_by_hand(
    *, actor: User | None, now: datetime, sop: Sop, customers: Sequence[Customer]
) -> dict[int, str]:
    """Customer -> entered, or why not (running, before, too_soon, other_sop, no_contact, …).

    Re-entry and other SOPs are minded as at night; the condition of the entry is not: the person
    has looked. They are no part of the measured effect, since chance did not place them.
    """
    require(actor, "sops.start")
    if len(customers) > MOST:
        raise TooManyAtOnce(most=MOST)
    found = Sop.objects.select_for_update().get(pk=sop.pk)
    version = SopVersion.objects.filter(sop=found, state=SopVersion.State.PUBLISHED).first()
    if version is None or found.state != Sop.State.LIVE:
        raise SopDoesNotRun
    ids = sorted({customer.pk for customer in customers})
    seen: set[int] = set()
    for start in range(0, len(ids), 500):
        rows = Customer.objects.visible_to(actor).filter(pk__in=ids[start : start + 500])
        seen.update(rows.values_list("pk", flat=True))
    if len(seen) < len(ids):
        raise NotFound
    day = day_of(now)
    verdicts = judge(version, form_of(version), ids, day=day, is_chosen=True)
    outcome = {one.customer_id: reason for one, reason, _, _ in verdicts.refused}
    outcome.update((one.customer_id, "entered") for one, _, _ in verdicts.entering)
    mark = f"hand:{uuid4().hex}"  # each time it is asked for is a time of its own
    enter(
        version, ids, now=now, day=day, marks=dict.fromkeys(ids, mark), actor=actor, found=verdicts
    )
    made = Run.objects.filter(sop=found, entry_key__endswith=f":{mark}").count()
    record(actor=actor, now=now, action="sop.started_by_hand", obj=found,
           changes={"asked": (None, len(ids)), "runs": (None, made)})  # fmt: skip
    return outcome
