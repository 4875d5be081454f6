"""Trying a configuration on history: asked for by a person, worked off as a job."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.health.actions.scorecards import check_config
from gengyun.health.calc.config import parse_config
from gengyun.health.models import HistoryTest, Scorecard
from gengyun.health.queries.trial import try_on_history
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.calc.plan import measures_for
from gengyun.usage.queries.metrics import active_metrics, parsed

WEEKS = (13, 26, 52)
KEPT = 20  # tests per scorecard; older ones are forgotten
Report = Callable[[int, int], None]


@transaction.atomic
def ask_test(
    *, actor: User | None, now: datetime, scorecard: Scorecard, config: Any, weeks: int = 52
) -> HistoryTest:
    """A waiting test; whoever calls puts the job into the queue."""
    require(actor, "settings.edit")
    check_config(config)
    weeks = weeks if weeks in WEEKS else WEEKS[-1]
    test = HistoryTest.objects.create(
        scorecard=scorecard, config=config, weeks=weeks, asked_at=now, asked_by=actor
    )
    old = scorecard.tests.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    HistoryTest.objects.filter(pk__in=list(old)).delete()
    return test


def run_test(
    test_id: int, *, now: datetime, lake: Lake | None = None, report: Report | None = None
) -> HistoryTest | None:
    """Work a test off; run twice, the result is the same. None: it was forgotten meanwhile."""
    test = HistoryTest.objects.filter(pk=test_id).select_related("scorecard").first()
    if test is None or test.state == HistoryTest.State.DONE:
        return test
    lake = lake or Lake.default()
    # metrics made since the last night need their roll-ups
    roll_up(lake=lake, now=now, needs=measures_for(parsed(active_metrics())))
    result = try_on_history(
        test.scorecard,
        parse_config(test.config),
        weeks=test.weeks,
        today=day_of(now),
        lake=lake,
        report=report,
    )
    HistoryTest.objects.filter(pk=test_id).update(
        result=result, state=HistoryTest.State.DONE, finished_at=now
    )
    test.refresh_from_db()
    return test


def fail_test(test_id: int, *, now: datetime, error: str) -> None:
    """The job gave up: say so on the page instead of a bar that never moves."""
    HistoryTest.objects.filter(pk=test_id, state=HistoryTest.State.WAITING).update(
        state=HistoryTest.State.FAILED, error=error[:300], finished_at=now
    )
