"""The step of the day that measures."""

from datetime import date, datetime

from gengyun.kernel.day import Report, day_step
from gengyun.usage.actions import merging
from gengyun.usage.queries import facts

__all__ = ["facts", "measure", "merging"]  # what journeys ask about, what merges move


@day_step("metrics", order=100)
def measure(as_of: date, now: datetime, report: Report) -> None:
    from gengyun.lake.store import Lake
    from gengyun.usage.actions.compute import compute_day

    compute_day(as_of, lake=Lake.default(), now=now, report=report)
