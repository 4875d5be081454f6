"""Claiming and running jobs: lease, heartbeat, attempts with growing pauses.

Claim: pick the first claimable row, then one UPDATE that repeats the condition. Whoever changes
the row has it; the same statement works on SQLite and PostgreSQL.
"""

import json
import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection, models
from django.db.models import F, Q
from django.utils.module_loading import import_string

from gengyun.kernel import faults
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import Refusal
from gengyun.kernel.jobs.progress import current_job
from gengyun.kernel.models import Job

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)  # doubles with every attempt
LONGEST_PAUSE = timedelta(hours=1)


def claimable(now: datetime) -> Q:
    """Ready and due, or left behind by a worker whose lease ran out."""
    return Q(state=Job.State.READY, run_after__lte=now) | Q(
        state=Job.State.RUNNING, lease_until__lt=now
    )


def claim(*, worker: str, now: datetime, lease: timedelta = LEASE) -> Job | None:
    """Take the next job, or None. Two workers asking at once never get the same one."""
    due = Job.objects.filter(claimable(now)).order_by("-priority", "run_after", "pk")
    while True:
        pk = due.values_list("pk", flat=True).first()
        if pk is None:
            return None
        taken = (
            Job.objects.filter(claimable(now), pk=pk)
            .order_by()
            .update(
                state=Job.State.RUNNING,
                worker=worker,
                lease_until=now + lease,
                attempts=F("attempts") + 1,
                started_at=now,
            )
        )
        if not taken:
            continue  # somebody was faster
        job = Job.objects.get(pk=pk)
        if job.attempts <= job.max_attempts:
            return job
        # its workers died every time: running it again would kill this one too
        _finish(job, Job.State.FAILED, error=job.error or "its worker was killed every time")


def run_next(*, worker: str, now: datetime, lease: timedelta = LEASE) -> Job | None:
    """Claim and run one job; returns it as it ended, or None when nothing is due."""
    job = claim(worker=worker, now=now, lease=lease)
    if job is not None:
        run(job, lease=lease)
        job.refresh_from_db()
    return job


def run(job: Job, *, lease: timedelta = LEASE) -> None:
    token = current_job.set(job.pk)
    try:
        with _heartbeat(job, lease):
            result = import_string(job.task).call(*job.args, **job.kwargs)
            result = json.loads(json.dumps(result, default=str))
        faults.point("job.ran")
    except Refusal as refusal:
        # a refusal is an answer, not an accident: trying again would get the same one
        _finish(job, Job.State.FAILED, error=f"{refusal.code}: {refusal}")
    except Exception:
        log.exception("job %s %s failed (attempt %s)", job.pk, job.task, job.attempts)
        _fail(job, traceback.format_exc()[-4000:])
    else:
        _finish(job, Job.State.DONE, result=result)
    finally:
        current_job.reset(token)


def release(worker: str) -> int:
    """Put back what this worker holds, at a shutdown that cannot wait for the job's end."""
    return (
        Job.objects.filter(worker=worker, state=Job.State.RUNNING)
        .order_by()
        .update(state=Job.State.READY, lease_until=None, worker="", attempts=F("attempts") - 1)
    )


def _mine(job: Job) -> models.QuerySet[Job]:
    """The row, if the lease was not lost to another worker in the meantime."""
    return Job.objects.filter(
        pk=job.pk, worker=job.worker, attempts=job.attempts, state=Job.State.RUNNING
    ).order_by()


def _finish(job: Job, state: str, *, result: Any = None, error: str = "") -> None:
    _mine(job).update(
        state=state, result=result, error=error, lease_until=None, finished_at=utc_now()
    )


def _fail(job: Job, error: str) -> None:
    if job.attempts >= job.max_attempts:
        _finish(job, Job.State.FAILED, error=error)
        return
    pause = min(FIRST_PAUSE * 2 ** (job.attempts - 1), LONGEST_PAUSE)
    _mine(job).update(
        state=Job.State.READY, error=error, lease_until=None, run_after=utc_now() + pause
    )


@contextmanager
def _heartbeat(job: Job, lease: timedelta) -> Iterator[None]:
    """Renew the lease three times per lease while the job runs, from a thread of its own."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(lease.total_seconds() / 3):
                try:
                    _mine(job).update(lease_until=utc_now() + lease)
                except Exception:
                    # a busy database: the next beat comes well before the lease ends
                    log.exception("the lease of job %s was not renewed", job.pk)
                    close_old_connections()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"lease-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
