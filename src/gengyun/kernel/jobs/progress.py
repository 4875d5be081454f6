"""How far the running job is: any code below a job may say so; outside a job it is a no-op."""

from contextvars import ContextVar
from uuid import UUID

from gengyun.kernel.models import Job

current_job: ContextVar[UUID | None] = ContextVar("current_job", default=None)


def report_progress(done: int, total: int, note: str = "") -> None:
    """Write progress to the job's row; `note` is at most 200 characters."""
    pk = current_job.get()
    if pk is not None:
        Job.objects.filter(pk=pk).update(
            progress_done=done, progress_total=total, progress_note=note[:200]
        )
