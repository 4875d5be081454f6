"""When people are told: after the day's judgement, when an alert changes, and every few minutes.

The work is a job: writing deliveries and sending them never holds up what changed the alert.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django_tasks import task

from gengyun.alerts.actions import task_notices
from gengyun.alerts.actions.routing import drop_over, route
from gengyun.engagement.jobs import send_soon
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.jobs import add
from gengyun.kernel.jobs.schedule import Every, repeat
from gengyun.kernel.outbox import on

PAUSE = timedelta(seconds=3)  # what is opened in one go is told in one message


@task()
def tell_people() -> dict[str, int]:
    """Write what is to be told and ask for its sending; run twice, nothing is told twice."""
    dropped, written = drop_over(), route(now=utc_now())
    if written:
        send_soon()
    return {"written": written, "dropped": dropped}


@task()
def tell_owners(task_ids: list[int]) -> dict[str, int]:
    """The same for tasks that were given to somebody."""
    dropped = task_notices.drop_known()
    written = task_notices.route_tasks(now=utc_now(), task_ids=task_ids)
    if written:
        send_soon()
    return {"written": written, "dropped": dropped}


@on("task.changed")
def tell_of_tasks(payload: dict[str, Any], now: datetime) -> None:
    ids = payload["task_ids"]
    if task_notices.writing_to_owners() and task_notices.is_news(ids):
        add(tell_owners, task_ids=ids, run_after=now + PAUSE)


@on("alert.changed")
def tell_of_change(payload: dict[str, Any], now: datetime) -> None:
    add(tell_people, unique_key="tell_people:change", run_after=now + PAUSE)


@day_step("notices", order=950)
def tell_after_judgement(as_of: date, now: datetime, report: Report) -> None:
    """After the summaries: whoever follows a link finds the page of that day."""
    add(tell_people, unique_key="tell_people:day", run_after=now + PAUSE)


repeat("tell_people", Every(timedelta(minutes=5)), tell_people)
