"""What the worker does by itself, as jobs: rolled up, judged, compacted, tidied."""

from datetime import time, timedelta

from django_tasks import task

from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import judge_day
from gengyun.kernel.days import day_of
from gengyun.kernel.jobs import add, report_progress
from gengyun.kernel.jobs.schedule import Daily, Every, repeat
from gengyun.kernel.models import Job
from gengyun.lake.store import Lake

# later events of the same visit are measured in one go
LIVE_AFTER = timedelta(seconds=10)
KEEP_DONE = timedelta(days=14)
KEEP_FAILED = timedelta(days=90)


@task()
def roll_up_usage():
    """New events into the roll-ups that metrics read."""
    from gengyun.usage.actions.rollups import roll_up

    roll_up(lake=Lake.default(), now=utc_now())


@task()
def measure_live():
    """Customers that new events touch: rolled up, scored and summarised again."""
    from gengyun.portfolio.actions.live import measure_live as measure

    report = measure(
        now=utc_now(),
        lake=Lake.default(),
        report=lambda done, total: report_progress(done, total, "customers"),
    )
    return {"customers": report.customers, "events_version": report.events_version}


@task()
def judge_today():
    """Metrics, health and summaries of today; run twice, nothing changes."""
    from gengyun.usage.queries.usage_line import data_until

    now = utc_now()
    run = judge_day(
        day_of(now),
        now=now,
        data_until=data_until(),
        on_progress=lambda step, done, total: report_progress(done, total, step),
        resume=True,
    )
    return {"as_of": run.as_of.isoformat(), "state": run.state}


@task()
def compact_lake():
    """Many small files of the drain into few large ones; replaced files go after a while."""
    from gengyun.lake.compaction import tidy as tidy_lake

    return tidy_lake(Lake.default())


@task()
def replay_known_customers():
    """Quarantined events whose customer is there by now."""
    from gengyun.usage.actions.replay import replay_known

    return replay_known(now=utc_now())


@task()
def tidy():
    """Forget jobs that ended long ago and sessions that ran out."""
    from django.core.management import call_command

    now = utc_now()
    Job.objects.filter(state=Job.State.DONE, finished_at__lt=now - KEEP_DONE).delete()
    Job.objects.filter(state=Job.State.FAILED, finished_at__lt=now - KEEP_FAILED).delete()
    call_command("clearsessions")


def after_drain(*, changes_past: bool) -> None:
    """New events came: who did something is measured again within a minute; everybody is judged
    again if some events count as known before today (history)."""
    now = utc_now()
    if changes_past:
        add(judge_today, unique_key="judge_today:new_data", run_after=now + timedelta(seconds=20))
    add(measure_live, unique_key="measure_live:new_data", run_after=now + LIVE_AFTER)


def register() -> None:
    """The table of what repeats; times are the company's."""
    repeat("judge_today", Daily(time(2, 10)), judge_today)
    repeat("compact_lake", Every(timedelta(hours=1)), compact_lake)
    repeat("replay_known_customers", Every(timedelta(minutes=5)), replay_known_customers)
    repeat("roll_up_usage", Every(timedelta(minutes=5)), roll_up_usage)
    repeat("tidy", Daily(time(3, 30)), tidy)
