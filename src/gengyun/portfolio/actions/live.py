"""Between two nights: customers that new events touch are measured again within a minute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from gengyun.health.actions.live import refresh_live
from gengyun.health.models import HealthScore
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.models import LiveState
from gengyun.usage.queries.touched import touched_between, touched_since

CHUNK = 1_000  # customers at a time: memory, and how long pages wait for the writer
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class LiveReport:
    customers: int
    events_version: int
    is_today_judged: bool  # False: scores wait for the judgement of today


def measure_live(*, now: datetime, lake: Lake, report: Report | None = None) -> LiveReport:
    """Roll up what came, then score and summarise the customers that it touches.

    Killed anywhere, the next run does the same customers again; repeated, it changes nothing.
    """
    state, _ = LiveState.objects.get_or_create(pk=1)
    roll_up(lake=lake, now=now)
    head = lake.version("events")
    if head == state.events_version:
        return LiveReport(0, head, _is_judged(now))
    is_first = state.events_version < 0
    touched = None if is_first else touched_between(lake, after=state.events_version, to=head)
    if touched is None:  # nothing to go on from, or the log was tidied since
        touched = touched_since(lake, day_of(now))
    _measure(touched, now=now, lake=lake, report=report)
    with transaction.atomic():
        LiveState.objects.filter(pk=state.pk).update(events_version=head, measured_at=now)
    return LiveReport(len(touched), head, _is_judged(now))


def rebuild(*, now: datetime, lake: Lake, report: Report | None = None) -> int:
    """Every summary row anew from its sources, today so far included; how many rows.

    What is kept from change to change and what this makes are the same, or one of them is wrong.
    """
    roll_up(lake=lake, now=now)
    if _is_judged(now):
        active = touched_since(lake, day_of(now))
        for start in range(0, len(active), CHUNK):
            refresh_live(active[start : start + CHUNK], now=now, lake=lake, tell=False)
    return refresh_summaries(now=now, report=report)


def _measure(
    customer_ids: Sequence[int], *, now: datetime, lake: Lake, report: Report | None
) -> None:
    for start in range(0, len(customer_ids), CHUNK):
        part = customer_ids[start : start + CHUNK]
        if _is_judged(now):
            refresh_live(part, now=now, lake=lake, tell=False)
        refresh_summaries(customer_ids=part, with_usage=True, now=now)
        if report:
            report(start + len(part), len(customer_ids))


def _is_judged(now: datetime) -> bool:
    newest: date | None = HealthScore.objects.aggregate(newest=Max("as_of"))["newest"]
    return newest == day_of(now)
