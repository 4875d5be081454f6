"""Carrying runs on: claim what is due, let each do its steps up to the next wait, many at once.

A claim is a lease; the work is one transaction with everything it brings about, so that a worker
killed anywhere leaves either nothing or all of it. Messages leave later, from rows written here.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, OuterRef

from gengyun.kernel import faults
from gengyun.sop.actions import leases
from gengyun.sop.actions.walking import Walk
from gengyun.sop.calc.form import Form
from gengyun.sop.models import Run, RunLease, Sop, StepRun
from gengyun.sop.queries.forms import form_of, versions_in
from gengyun.sop.queries.going import going
from gengyun.usage.actions.drain import without_gc

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
BATCH = 1_000
# PostgreSQL lets others write meanwhile, and a group of one step gets larger
LARGE_BATCH = 5_000


@dataclass(frozen=True)
class Claim:
    """Leases on these runs under this token; who took one over in between has that run now."""

    token: str
    ids: Sequence[int] = ()

    @property
    def count(self) -> int:
        return len(self.ids)


def step(*, now: datetime, limit: int | None = None, worker: str = "") -> Counter[str]:
    """One batch of due runs; what was done, counted. Nothing due: an empty count.

    Any number of workers may call it. A clock that jumps ahead ends leases early; the token on the
    lease then says to the slower worker that the runs are not its own any more.
    """
    claim = claim_due(now=now, limit=limit or _batch(), worker=worker)
    if not claim.count:
        return Counter()
    faults.point("sop.claimed")
    try:
        with without_gc():
            return _work(claim, now)
    except DatabaseError:
        raise  # the database, not the runs: the lease ends and somebody tries again
    except Exception:
        log.exception("a batch of %s runs went wrong; one at a time", claim.count)
    done: Counter[str] = Counter()
    for pk in sorted(claim.ids):
        done += _alone(pk, claim, now)
    return done


def _batch() -> int:
    return LARGE_BATCH if connection.vendor == "postgresql" else BATCH


def run_due(*, now: datetime, worker: str = "", most: int = 1_000_000) -> Counter[str]:
    """Batches until nothing is due at `now`; for commands, tests and the demo company."""
    total: Counter[str] = Counter()
    while total["runs"] < most and (done := step(now=now, worker=worker)):
        total += done
    return total


def claim_due(*, now: datetime, limit: int, worker: str) -> Claim:
    """Take up to `limit` runs, the longest due first; two workers never get the same one."""
    token = f"{worker[:40]}:{uuid4().hex}"
    live = list(Sop.objects.filter(state=Sop.State.LIVE).order_by().values_list("pk", flat=True))
    due = Run.objects.active().filter(due_at__lte=now, sop__in=live)
    taken = RunLease.objects.filter(run_id=OuterRef("pk"), until__gte=now)
    free = due.exclude(Exists(taken)).order_by("due_at", "pk")
    wanted = list(free.values_list("pk", flat=True)[:limit])
    return Claim(token, leases.take(wanted, now=now, until=now + LEASE, by=token))


def _work(claim: Claim, now: datetime, only: int | None = None) -> Counter[str]:
    with transaction.atomic():
        ids = leases.held(claim.ids if only is None else [only], by=claim.token)
        # those that a person stopped since, or another worker carried on, are not among them:
        # the conditions are asked again when the row is locked
        done = Walk(going(ids, now=now), now).go()
        leases.release(ids, by=claim.token)
        faults.point("sop.worked")
    faults.point("sop.committed")
    return done


def _alone(pk: int, claim: Claim, now: datetime) -> Counter[str]:
    """A run that breaks the batch stops for good and says so; the others do not wait for it."""
    try:
        return _work(claim, now, only=pk)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("run %s failed", pk)
        fail(pk, claim.token, now, repr(error))
        return Counter(runs=1, failed=1)


@transaction.atomic
def fail(pk: int, token: str, now: datetime, why: str) -> None:
    run = Run.objects.active().filter(pk=pk, due_at__lte=now).select_for_update().first()
    if run is None or not leases.held([pk], by=token):
        return
    StepRun.objects.bulk_create(
        [
            StepRun(
                run=run, step_key=run.step_key, ordinal=run.step_count, kind="error", at=now,
                state=StepRun.State.FAILED, reason="error", told={"error": why[:300]},
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    Run.objects.filter(pk=pk).update(
        state=Run.State.FAILED, end_reason="error", ended_at=now, due_at=None,
        step_count=F("step_count") + 1,
    )  # fmt: skip
    leases.release([pk], by=token)


def wake(*, now: datetime, customer_ids: list[int]) -> int:
    """Something happened with these customers: runs that wait for a condition, or for a date of
    theirs, are looked at again.

    A wait for days is not: what ends a run is asked before its next step, and every night.
    """
    if not customer_ids:
        return 0
    waiting = Run.objects.treated().filter(
        state=Run.State.WAITING, customer_id__among=customer_ids, due_at__gt=now
    )
    rows = list(waiting.order_by().values_list("pk", "version_id", "step_key"))
    forms = {pk: form_of(one) for pk, one in versions_in(row[1] for row in rows).items()}
    wanted = [pk for pk, version, key in rows if _is_for_condition(forms[version], key)]
    return Run.objects.filter(pk__among=wanted, due_at__gt=now).update(due_at=now)


def _is_for_condition(form: Form, key: str) -> bool:
    step = form.steps.get(key)
    wait = step.wait if step else None
    return wait is not None and (wait.until or wait.date) is not None
