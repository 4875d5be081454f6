"""The health step of the daily judgement."""

from datetime import date, datetime

from gengyun.health.actions.judge import judge
from gengyun.kernel.day import Report, day_step


@day_step("health", order=200)
def health_step(as_of: date, now: datetime, report: Report) -> None:
    judge(as_of, now=now, report=report)
