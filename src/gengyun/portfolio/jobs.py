"""The last step of the daily judgement: every customer's summary row."""

from datetime import date, datetime

from django.db.models import Max

from gengyun.health.models import HealthScore
from gengyun.kernel.day import Report, day_step
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.chances import follow_chances
from gengyun.portfolio.actions.live import rebuild
from gengyun.portfolio.actions.renewal_checks import check_renewals
from gengyun.revenue.actions.renewal_snapshots import take_snapshot


@day_step("chances", order=260)
def chances_step(as_of: date, now: datetime, report: Report) -> None:
    """Right behind the churn probability; an older day that was scored just now changes nothing."""
    follow_chances()


@day_step("renewals", order=850)
def renewals_step(as_of: date, now: datetime, report: Report) -> None:
    """Questions, signals and checkpoints follow the newest judged day; the week's snapshot."""
    newest = HealthScore.objects.aggregate(newest=Max("as_of"))["newest"]
    if newest is None or newest <= as_of:
        check_renewals(as_of=as_of, now=now, report=report)
        take_snapshot(as_of=as_of)


@day_step("summary", order=900)
def summary_step(as_of: date, now: datetime, report: Report) -> None:
    """Rows show the newest judged day; an older day that was judged just now changes none."""
    newest = HealthScore.objects.aggregate(newest=Max("as_of"))["newest"]
    if newest is None or newest <= as_of:
        rebuild(now=now, lake=Lake.default(), report=report)
