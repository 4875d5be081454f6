"""What the package brings to the common machinery: its part of the day, its background work."""

from datetime import date, datetime, time

from django_tasks import task

from gengyun.customers.actions import exporting, importing
from gengyun.customers.actions.journeys import advance_journeys
from gengyun.customers.actions.tiers import expire_manual_tiers
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import Report, day_step
from gengyun.kernel.days import day_of
from gengyun.kernel.jobs.schedule import Daily, repeat

__all__ = ["exporting", "importing", "journeys_step", "tiers_step"]


@day_step("tiers", order=50)
def tiers_step(as_of: date, now: datetime, report: Report) -> None:
    """Manual tiers that have run out go back to the rules; a past day changes nothing today."""
    if as_of == day_of(now):
        moved = expire_manual_tiers(now=now)
        report(moved, moved)


@day_step("journeys", order=105)
def journeys_step(as_of: date, now: datetime, report: Report) -> None:
    """After the metrics, before health: a scorecard may be chosen by the stage."""
    if as_of == day_of(now):
        advance_journeys(as_of=as_of, now=now, report=report)


@task()
def forget_import_files() -> int:
    return importing.forget_files(now=utc_now())


@task()
def forget_export_files() -> int:
    return exporting.forget_exports(now=utc_now())


repeat("export files", Daily(time(3, 50)), forget_export_files)
repeat("import files", Daily(time(3, 40)), forget_import_files)
