"""The last step of the daily judgement: every customer's summary row."""

from datetime import date, datetime

from gengyun.kernel.day import Report, day_step
from gengyun.portfolio.actions.summaries import refresh_summaries


@day_step("summary", order=900)
def summary_step(as_of: date, now: datetime, report: Report) -> None:
    """Rows show the newest judged day, whichever day was judged just now."""
    refresh_summaries(now=now, report=report)
