"""SOPs by the clock: the day's entry behind the summaries. Runs are carried on by the worker's own
loop, see `actions.turn`."""

from datetime import date, datetime

from django_tasks import task

from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.days import day_of
from gengyun.sop.actions.evaluate import evaluate


@day_step("sop", order=950)
def sop_step(as_of: date, now: datetime, report: Report) -> None:
    """Behind the summaries, which it reads."""
    evaluate(now=now, day=as_of, report=report)


@task()
def evaluate_sops() -> dict[str, int]:
    """Now, not only at night: an SOP was published or goes on after a pause."""
    now = utc_now()
    return dict(evaluate(now=now, day=day_of(now)))
