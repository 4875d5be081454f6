"""The health step of the daily judgement, and the package's background work."""

from datetime import date, datetime

from django_tasks import task

from gengyun.health.actions import merging
from gengyun.health.actions.judge import judge
from gengyun.health.actions.trials import fail_test, run_test
from gengyun.health.queries import facts
from gengyun.health.queries.cards import lacks_values
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step, judge_day, steps
from gengyun.kernel.days import day_of
from gengyun.kernel.jobs import report_progress
from gengyun.kernel.models import DayRun

__all__ = ["facts", "merging"]  # what journeys ask about, what merges move


@day_step("health", order=200)
def health_step(as_of: date, now: datetime, report: Report) -> None:
    judge(as_of, now=now, report=report)


@task()
def judge_health_again() -> dict[str, str]:
    """Today once more, after its rules changed: health and what follows it is made anew.

    Metrics stay as they were measured, unless a scorecard reads one that is newer than they are.
    """
    now = utc_now()
    today = day_of(now)
    run = DayRun.objects.filter(as_of=today, state=DayRun.State.DONE).first()
    data_until = run.data_until if run else None
    if run is not None:
        # what ran before stays done; the run is open again, so that it can be resumed
        first = 100 if lacks_values(today) else 200
        kept = {step.name for step in steps() if step.order < first}
        run.steps = {name: told for name, told in run.steps.items() if name in kept}
        run.state = DayRun.State.RUNNING
        run.save()
    run = judge_day(
        today,
        now=now,
        data_until=data_until,
        on_progress=lambda step, done, total: report_progress(done, total, step),
        resume=True,
    )
    return {"as_of": run.as_of.isoformat(), "state": run.state}


@task()
def test_on_history(test_id: int) -> dict[str, int]:
    try:
        test = run_test(test_id, now=utc_now(), report=report_progress)
    except Exception as error:
        fail_test(test_id, now=utc_now(), error=repr(error))
        raise
    return {"customers": (test.result or {}).get("customers", 0) if test else 0}
