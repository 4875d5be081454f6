"""Since when a customer is with us without a break, from its subscription periods.

A renewal signed a few weeks late does not make a new customer: gaps of up to GAP_DAYS do not break
the run. In the gap itself nobody is subscribed, and the start is unknown.
"""

from collections.abc import Iterable
from datetime import date, timedelta

GAP_DAYS = 31
Period = tuple[date, date | None]  # [start, end); end None: open


def customer_since(
    periods: Iterable[Period], *, gap_days: int = GAP_DAYS
) -> list[tuple[date, date | None]]:
    """(from this day on, the start of the unbroken run or None) in order, only where it changes.

    Periods may overlap and come in any order; empty ones are left out.
    """
    changes: list[tuple[date, date | None]] = []
    start: date | None = None
    covered: date | None = None
    for first, end in sorted(periods, key=lambda period: period[0]):
        if end is not None and end <= first:
            continue
        if start is None or (covered is not None and covered < first):
            if start is not None and covered is not None:
                changes.append((covered, None))
                if first - covered > timedelta(days=gap_days):
                    start = None
            start = start or first
            changes.append((first, start))
            covered = end
        elif covered is not None:
            covered = None if end is None else max(covered, end)
    if covered is not None:
        changes.append((covered, None))
    return changes
