"""SOPs by the clock: the day's entry behind the summaries, and runs as they come due."""

from datetime import date, datetime, timedelta

from django_tasks import task

from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.days import day_of
from gengyun.kernel.jobs import add
from gengyun.kernel.jobs.schedule import Every, repeat
from gengyun.sop.actions.evaluate import evaluate
from gengyun.sop.actions.step import step

TURN = timedelta(seconds=30)  # then others get the worker


@day_step("sop", order=950)
def sop_step(as_of: date, now: datetime, report: Report) -> None:
    """Behind the summaries, which it reads. The runs themselves are carried on by the job, or by
    whoever judges a past: what is due by `now` is due."""
    evaluate(now=now, day=as_of, report=report)
    add(step_sops, unique_key="step_sops:due")


@task()
def evaluate_sops() -> dict[str, int]:
    """Now, not only at night: an SOP was published or goes on after a pause."""
    now = utc_now()
    done = evaluate(now=now, day=day_of(now))
    add(step_sops, unique_key="step_sops:due")
    return dict(done)


@task()
def step_sops() -> dict[str, int]:
    """Runs that are due, batch after batch."""
    total: dict[str, int] = {}
    started = utc_now()
    while utc_now() - started < TURN:
        done = step(now=utc_now(), worker="job")
        if not done:
            return total
        for key, count in done.items():
            total[key] = total.get(key, 0) + count
    add(step_sops, unique_key=f"step_sops:more:{started.isoformat()}")
    return total


repeat("step_sops", Every(timedelta(minutes=1)), step_sops)
