"""What repeats: a table in code, one leader through the `Schedule` rows.

Whoever moves `last_run_at` by one conditional UPDATE leads this turn and, in the same
transaction, puts the task in the queue. A turn missed while no worker ran is made up once.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction

from gengyun.kernel.days import company_zone, days_before
from gengyun.kernel.jobs.backend import AnyTask, add
from gengyun.kernel.models import Schedule


@dataclass(frozen=True)
class Every:
    """Due when the interval has passed since the last turn."""

    interval: timedelta

    def is_due(self, now: datetime, last_run_at: datetime | None) -> bool:
        return last_run_at is None or now - last_run_at >= self.interval


@dataclass(frozen=True)
class Daily:
    """Due once a day from this time of the company's day on."""

    at: time

    def is_due(self, now: datetime, last_run_at: datetime | None) -> bool:
        local = now.astimezone(company_zone())
        turn = datetime.combine(local.date(), self.at, company_zone())
        if local < turn:
            turn = datetime.combine(days_before(local.date(), 1), self.at, company_zone())
        return last_run_at is None or last_run_at < turn


@dataclass(frozen=True)
class Repeated:
    name: str
    when: Every | Daily
    task: AnyTask


_repeated: dict[str, Repeated] = {}


def repeat(name: str, when: Every | Daily, task: AnyTask) -> None:
    """Register a repeated task, in a package's `jobs.py` or in the worker."""
    _repeated[name] = Repeated(name, when, task)


def repeated() -> list[Repeated]:
    return sorted(_repeated.values(), key=lambda entry: entry.name)


def start_due(*, now: datetime, entries: list[Repeated] | None = None) -> list[str]:
    """Put every due task in the queue, once however many workers ask. Returns their names."""
    started = []
    for entry in repeated() if entries is None else entries:
        row, _ = Schedule.objects.get_or_create(name=entry.name)
        if not entry.when.is_due(now, row.last_run_at):
            continue
        with transaction.atomic():
            # Django turns `= None` of a filter into IS NULL
            unmoved = Schedule.objects.filter(name=entry.name, last_run_at=row.last_run_at)
            if unmoved.update(last_run_at=now):
                # the key: a turn that is still running is not queued a second time
                add(entry.task, unique_key=f"schedule:{entry.name}")
                started.append(entry.name)
    return started
