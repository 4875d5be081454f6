"""The use of one customer for the line beside an alert: read straight from the roll-ups."""

from dataclasses import dataclass
from datetime import date, timedelta

from gengyun.alerts.models import Alert
from gengyun.kernel.calc.workdays import workdays
from gengyun.kernel.days import day_of
from gengyun.usage.queries.usage_line import daily_line

DAYS = 112  # both windows of the rule, and a fortnight before


@dataclass(frozen=True)
class UseLine:
    """Events per day; `factor`: share of an ordinary working day by the published calendar."""

    days: list[date]
    events: list[int]
    factor: list[float]


def use_line(alert: Alert, *, days: int = DAYS) -> UseLine | None:
    """Up to the last reading, or to the close; None for what concerns the whole company."""
    if alert.customer_id is None:
        return None
    closed = day_of(alert.closed_at) if alert.closed_at else date.min
    end = max(alert.last_seen_on, closed)
    start = end - timedelta(days=days)
    found = daily_line(alert.customer_id, start=start, end=end, measure="events")
    return UseLine(
        [day for day, _ in found], [n for _, n in found], workdays(start, days).base.tolist()
    )
