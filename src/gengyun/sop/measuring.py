"""The measuring step of the daily judgement: it registers itself, like the notices of alerts."""

from datetime import date, datetime

from gengyun.kernel.day import Report, day_step
from gengyun.sop.actions.measuring import measure


@day_step("sop_effect", order=970)
def sop_effect_step(as_of: date, now: datetime, report: Report) -> None:
    """Behind the entries of the day, which it enrols."""
    measure(as_of=as_of, now=now)
