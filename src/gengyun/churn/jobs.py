"""Background work of the churn probability."""

from django_tasks import task

from gengyun.churn.actions.backtest import fail_backtest
from gengyun.kernel.clock import utc_now
from gengyun.kernel.jobs import report_progress


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
