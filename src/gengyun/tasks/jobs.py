"""What tasks do by the day: what is at stake is worked out anew, removed files go."""

from datetime import date, datetime, time

from django_tasks import task

from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.jobs.schedule import Daily, repeat
from gengyun.tasks.actions.files import forget_removed
from gengyun.tasks.actions.owners import refresh_stakes


@day_step("tasks", order=800)
def tasks_step(as_of: date, now: datetime, report: Report) -> None:
    """Behind the churn probability, before the summaries, which tell of tasks."""
    refresh_stakes(now=now)


@task()
def forget_task_files() -> int:
    return forget_removed(now=utc_now())


repeat("task files", Daily(time(4, 10)), forget_task_files)
