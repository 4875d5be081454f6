"""The churn step of the daily judgement, and the package's background work."""

from datetime import date, datetime

from django_tasks import task

from gengyun.churn.actions import merging
from gengyun.churn.actions.backtest import fail_backtest
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.jobs import report_progress

__all__ = ["merging"]  # what merges move


@day_step("churn", order=250)
def churn_step(as_of: date, now: datetime, report: Report) -> None:
    """After metrics and health, before alerts, which take up what it says."""
    from gengyun.churn.actions.night import judge_churn

    judge_churn(as_of, now=now, report=report)


@task()
def backtest_on_history(backtest_id: int) -> dict[str, str]:
    """A back-test that somebody asked for."""
    # imported here: the web process only puts the job into the queue and needs none of the learning
    from gengyun.churn.actions.backtest_run import run_backtest

    try:
        done = run_backtest(backtest_id, now=utc_now(), report=report_progress)
    except Exception as error:
        fail_backtest(backtest_id, now=utc_now(), error=repr(error))
        raise
    return {"state": done.state if done else "forgotten"}
