"""`gengyun doctor`: what is wrong with this deployment, and what to do about it."""

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

import click

from gengyun.cli.main import setup

OK, WARN, FAIL = "ok", "warn", "fail"
MARKS = {OK: "✓", WARN: "!", FAIL: "✗"}
FREE_WARN, FREE_FAIL = 2 * 1024**3, 200 * 1024**2
LATE = timedelta(minutes=10)  # how long an event or a job may wait


@dataclass(frozen=True)
class Finding:
    check: str
    state: str
    text: str


Check = Callable[[], Iterator[Finding]]


@click.command(name="doctor", short_help="look for what is wrong with this deployment")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(*, as_json: bool) -> None:
    """Look at the data folder, database, inbox, lake and worker. Changes nothing.

    Exit code 1 when something is broken; a warning alone is no failure.
    """
    setup()
    failed = False
    for finding in examine():
        failed |= finding.state == FAIL
        if as_json:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
        else:
            click.echo(f"{MARKS[finding.state]} {finding.text}")
    sys.exit(1 if failed else 0)


def examine() -> Iterator[Finding]:
    """Every check; without a database the later ones would only repeat that."""
    yield from _folder()
    usable = True
    for finding in _database():
        usable &= finding.state != FAIL
        yield finding
    if not usable:
        return
    checks: tuple[Check, ...] = (_people, _inbox, _lake, _jobs, _outbox, _day)
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            yield Finding(check.__name__.strip("_"), FAIL, f"{check.__name__.strip('_')}: {error}")


def _folder() -> Iterator[Finding]:
    from django.conf import settings
    from django.utils.translation import gettext as _

    folder = settings.DATA_DIR
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        text = _("The data folder %(folder)s is missing or cannot be written: run gengyun init.")
        yield Finding("folder", FAIL, text % {"folder": folder})
        return
    yield Finding("folder", OK, _("Data folder: %(folder)s") % {"folder": folder})
    free = shutil.disk_usage(folder).free
    state = FAIL if free < FREE_FAIL else WARN if free < FREE_WARN else OK
    text = _("Free space: %(size)s GB") % {"size": f"{free / 1024**3:.1f}"}
    yield Finding("space", state, text)
    secret = folder / "secret_key"
    if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
        text = _("Others on this machine can read %(path)s: chmod 600 it.")
        yield Finding("secret", WARN, text % {"path": secret})


def _database() -> Iterator[Finding]:
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor
    from django.utils.translation import gettext as _

    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", FAIL, _("The database: %(error)s") % {"error": error})
        return
    if missing:
        text = _("The database lacks %(count)s migrations: run gengyun migrate.")
        yield Finding("migrations", FAIL, text % {"count": len(missing)})
        return
    yield Finding("migrations", OK, _("The database is up to date."))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            told = [row[0] for row in cursor.execute("PRAGMA quick_check(5)")]
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        whole = told == ["ok"]
        text = _("The database file is whole.") if whole else "; ".join(told)
        yield Finding("database", OK if whole else FAIL, text)
        if mode != "wal":
            text = _("SQLite does not use WAL here: is the folder on a network drive?")
            yield Finding("wal", WARN, text)


def _people() -> Iterator[Finding]:
    from django.utils.translation import gettext as _

    from gengyun.team.models import Role, User

    if User.objects.filter(role=Role.ADMIN, is_active=True).exists():
        yield Finding("administrator", OK, _("There is an administrator."))
    else:
        text = _("There is no administrator: run gengyun init.")
        yield Finding("administrator", FAIL, text)


def _inbox() -> Iterator[Finding]:
    from datetime import UTC, datetime

    from django.conf import settings
    from django.utils.translation import gettext as _

    from gengyun.kernel.clock import utc_now
    from gengyun.lake.inbox import has_inbox, open_inbox

    if not has_inbox(settings.INBOX_PATH):
        yield Finding("inbox", OK, _("No event has come yet."))
        return
    with open_inbox(settings.INBOX_PATH) as inbox:
        waiting, oldest = inbox.waiting_events(), inbox.oldest_received_at()
    late = oldest is not None and utc_now() - datetime.fromtimestamp(oldest / 1e6, UTC) > LATE
    text = _("Events waiting in the inbox: %(count)s") % {"count": waiting}
    if late:
        text = _("%(count)s events have waited more than ten minutes: is the worker running?") % {
            "count": waiting
        }
    yield Finding("inbox", WARN if late else OK, text)


def _lake() -> Iterator[Finding]:
    from pathlib import Path

    from django.conf import settings
    from django.utils.translation import gettext as _

    from gengyun.lake.store import Lake
    from gengyun.lake.tables import SCHEMAS

    lake = Lake(settings.LAKE_DIR)
    for table in sorted(SCHEMAS):
        files = lake.files(table)
        lost = [path for path in files if not Path(path).exists()]
        if lost:
            text = _("The lake's table %(table)s misses %(count)s of its files.")
            yield Finding("lake", FAIL, text % {"table": table, "count": len(lost)})
    events = lake.row_count("events")
    yield Finding("lake", OK, _("Events in the lake: %(count)s") % {"count": events})


def _jobs() -> Iterator[Finding]:
    from django.db.models import Max
    from django.utils.translation import gettext as _

    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.models import Job, Schedule

    now = utc_now()
    waiting = Job.objects.filter(state=Job.State.READY, run_after__lt=now - LATE).count()
    if waiting:
        text = _("%(count)s jobs have waited more than ten minutes: is the worker running?")
        yield Finding("jobs", WARN, text % {"count": waiting})
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gt=now - timedelta(days=7))
    for job in failed.order_by("-finished_at")[:5]:
        told = job.error.strip().splitlines()[-1:] or [""]
        text = _("The job %(task)s failed: %(error)s")
        yield Finding("jobs", WARN, text % {"task": job.task, "error": told[0][:200]})
    beat = Schedule.objects.aggregate(at=Max("last_run_at"))["at"]
    if beat is None:
        yield Finding("worker", WARN, _("The worker has not run yet: gengyun start runs it."))
    else:
        late = now - beat > timedelta(hours=2)  # compaction alone has a turn every hour
        text = _("The worker's last turn: %(moment)s") % {"moment": f"{beat:%Y-%m-%d %H:%M} UTC"}
        yield Finding("worker", WARN if late else OK, text)


def _outbox() -> Iterator[Finding]:
    from django.utils.translation import gettext as _

    from gengyun.kernel.models import OutboxEvent
    from gengyun.kernel.outbox import MAX_ATTEMPTS

    stuck = OutboxEvent.objects.filter(delivered_at__isnull=True, attempts__gte=MAX_ATTEMPTS)
    if count := stuck.count():
        event = stuck.order_by("pk")[0]
        text = _("%(count)s internal events could not be delivered; the first: %(name)s, %(error)s")
        params = {"count": count, "name": event.name, "error": event.last_error[:200]}
        yield Finding("outbox", FAIL, text % params)


def _day() -> Iterator[Finding]:
    from django.utils.translation import gettext as _

    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.kernel.models import DayRun

    run = DayRun.objects.order_by("-as_of").first()
    if run is None:
        yield Finding("day", WARN, _("No day has been judged yet: run gengyun daily."))
        return
    late = run.as_of < day_of(utc_now()) - timedelta(days=1)
    bad = run.state == DayRun.State.FAILED
    text = _("The newest judged day: %(day)s") % {"day": run.as_of.isoformat()}
    if bad:
        text = _("The judgement of %(day)s failed: %(error)s") % {
            "day": run.as_of.isoformat(),
            "error": run.error[:200],
        }
    yield Finding("day", FAIL if bad else WARN if late else OK, text)
