"""A rule tried on history before it is saved: who would be flagged now, how many each week."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from gengyun.alerts.calc.detect import DAYS_NEEDED
from gengyun.alerts.calc.dry_run import Flagged, Week, dry_run
from gengyun.alerts.calc.found import Found
from gengyun.alerts.calc.params import USAGE_KINDS
from gengyun.alerts.models import AlertRule
from gengyun.alerts.queries.day import Day
from gengyun.alerts.queries.found import found_by
from gengyun.customers.models import Customer
from gengyun.health.queries.scores import newest_judged
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.team.models import User
from gengyun.usage.queries.usage_days import UsageDays, usage_days

MOST = 10_000  # customers tried; of more, a fixed part of them
SHOWN = 200


@dataclass(frozen=True)
class PreviewRow:
    customer: Customer | None  # None: company-wide
    flagged: Flagged


@dataclass(frozen=True)
class Preview:
    """`tried` of `total` customers; weeks oldest first, the last is the newest day."""

    as_of: date
    weeks: list[Week]
    rows: list[PreviewRow]  # most urgent first, then by amount; at most 200
    flagged: int
    tried: int
    total: int
    per_owner: dict[int | None, int]  # flagged now, by the customer's owner

    @property
    def weekly(self) -> float | None:
        """New ones per week, on average over the weeks that are known, for all customers."""
        known = [week.opened for week in self.weeks if week.opened is not None]
        if not known or not self.tried:
            return None
        return sum(known) / len(known) * (self.total / self.tried)


def preview_rule(
    rule: AlertRule,
    *,
    actor: User | None,
    now: datetime,
    days: int = 56,
    lake: Lake | None = None,
) -> Preview:
    """Try a rule (saved or not) on the last `days` days, judged once a week. Writes nothing."""
    lake = lake or Lake.default()
    as_of = newest_judged(day_of(now), lake=lake) or day_of(now)
    seen = Customer.objects.visible_to(actor).present()
    every = list(seen.order_by("pk").values_list("pk", flat=True))
    step = max(1, -(-len(every) // MOST))
    ids = every[::step]
    whole = None
    if rule.kind in USAGE_KINDS or rule.kind == AlertRule.Kind.OUTAGE:
        whole = usage_days(as_of, customer_ids=ids, days=DAYS_NEEDED + days, lake=lake)

    def judged(day: date) -> tuple[date, Found]:
        usage = _until(whole, day) if whole is not None else None
        inputs = Day(day, now=now, lake=lake, customer_ids=ids, usage=usage)
        return day, found_by(rule, inputs)

    # what sources did in the past is not kept: they are only judged as they are now
    weeks_back = 0 if rule.kind == AlertRule.Kind.SOURCE_SILENT else days // 7
    past = [as_of - timedelta(weeks=week) for week in range(weeks_back, -1, -1)]
    weeks, flagged = dry_run(map(judged, past))
    return _preview(as_of, weeks, flagged, len(ids), len(every))


def _until(whole: UsageDays, as_of: date) -> UsageDays:
    """The window that ends before `as_of`, cut from a longer one.

    What came late is in it from the beginning, unlike on the day itself.
    """
    end = (as_of - whole.start).days
    first = end - DAYS_NEEDED
    use = whole.use[:, first:end]
    before = whole.active_days_before + (whole.use[:, :first] > 0).sum(axis=1)
    used = whole.use[:, :end] > 0
    last = np.full(len(use), np.datetime64("NaT"), dtype="datetime64[D]")
    has_used = used.any(axis=1)
    column = end - 1 - used[:, ::-1].argmax(axis=1)
    start = np.datetime64(whole.start, "D")
    last[has_used] = start + column[has_used].astype("timedelta64[D]")
    beginning = whole.start + timedelta(days=first)
    return UsageDays(as_of, beginning, whole.customer_ids, use, before.astype(np.int64), last)


def _preview(
    as_of: date, weeks: list[Week], flagged: list[Flagged], tried: int, total: int
) -> Preview:
    customers: dict[int, Customer] = {}
    ids = [one.customer_id for one in flagged if one.customer_id is not None]
    for start in range(0, len(ids), 500):
        found = Customer.objects.select_related("owner", "tier").in_bulk(ids[start : start + 500])
        customers |= found
    rows = [
        PreviewRow(customers.get(one.customer_id) if one.customer_id is not None else None, one)
        for one in flagged
    ]
    rows.sort(key=_urgency)
    owners = Counter(row.customer.owner_id for row in rows if row.customer is not None)
    return Preview(as_of, weeks, rows[:SHOWN], len(rows), tried, total, dict(owners))


def _urgency(row: PreviewRow) -> tuple[int, int, str]:
    arr = (row.customer.arr_minor or 0) if row.customer is not None else 0
    return row.flagged.reading.severity, -arr, row.flagged.key
