"""Renewals meet what the other packages know: the four questions, the signal, checkpoints."""

from collections.abc import Sequence
from datetime import date, datetime

from gengyun.kernel.day import Report
from gengyun.portfolio.queries.renewal_facts import facts_of
from gengyun.revenue.actions.checkpoints import due_within, judge_renewals

STEP = 1_000


def check_renewals(
    *,
    as_of: date,
    now: datetime,
    customer_ids: Sequence[int] | None = None,
    report: Report | None = None,
) -> int:
    """Open renewals up to 180 days away, of all customers or of some; returns how many changed."""
    rows = due_within(as_of, customer_ids=customer_ids)
    changed = 0
    for start in range(0, len(rows), STEP):
        part = rows[start : start + STEP]
        ids = sorted({row.customer_id for row in part})
        facts = facts_of(ids, as_of=as_of, now=now)
        changed += judge_renewals(now=now, as_of=as_of, facts=facts, renewals=part)
        if report:
            report(min(start + STEP, len(rows)), len(rows))
    return changed
