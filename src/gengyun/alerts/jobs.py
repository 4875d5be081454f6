"""The alert step of the daily judgement, and what alerts do by the hour."""

from datetime import date, datetime, timedelta

from django_tasks import task

from gengyun.alerts import notices
from gengyun.alerts.actions import import_causes
from gengyun.alerts.actions.defaults import install_defaults
from gengyun.alerts.actions.escalating import escalate_due
from gengyun.alerts.actions.evaluate import evaluate_day, evaluate_sources
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.jobs.schedule import Every, repeat

__all__ = ["import_causes", "notices"]  # these register themselves


@day_step("alerts", order=300)
def alerts_step(as_of: date, now: datetime, report: Report) -> None:
    """After metrics and health, before the summaries, which take up what it opened."""
    install_defaults(now=now)  # a deployment from before there were alerts
    evaluate_day(as_of, now=now, report=report, tell=False)


@task()
def watch_alerts() -> dict[str, int]:
    """Silent sources, time limits that passed, snoozes that ran out."""
    now = utc_now()
    evaluate_sources(now=now)
    return {"escalated": escalate_due(now=now)}


repeat("watch_alerts", Every(timedelta(minutes=10)), watch_alerts)
