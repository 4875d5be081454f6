"""The whole judgement of a day for 10,000 and 100,000 customers: metrics, journeys, health, alerts,
summaries, each step with its seconds and its CPU.

Customers, people, contacts and roll-ups of 120 days (1,000 events per customer) are made up; from
there on it is what the worker does at night. The same day a week before is judged first, so that
the measured day has scores to compare with, open alerts to go on with and rows to bring up to date.
Each size has a process and a data folder of its own, so that peak memory is its own.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

SECONDS = {10_000: 60.0, 100_000: 300.0}  # customers -> what is promised
EVENTS_EACH = 1_000


def run(report) -> None:
    for customers in [report.customers] if report.customers else SECONDS:
        report.say(f"daily: making {customers:,} customers, judging the day a week before")
        folder = Path(tempfile.mkdtemp(prefix="daily-", dir=os.environ.get("GENGYUN_DATA")))
        try:
            found = _child(customers, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _tell(report, customers, found)
    report.note(
        "daily: the ceiling of the whole day is the engine reading every column of the roll-ups "
        "and the database copying the scores and summaries it holds, and nothing else; CPU is that "
        "of the judging process, all its threads, without a PostgreSQL server's"
    )


def _tell(report, customers: int, found: dict) -> None:
    name = f"daily.{customers}"
    for step in found["steps"]:
        report.add(name=f"{name}.{step['name']}", value=step["seconds"], unit="s")
        report.add(name=f"{name}.{step['name']}_cpu", value=step["cpu"], unit="CPU-s")
    report.add(
        name=f"{name}.whole_day",
        value=found["seconds"],
        unit="s",
        ceiling=found["bare_seconds"],
        target=_target(customers),
        higher_is_better=False,
    )
    report.add(name=f"{name}.whole_day_cpu", value=found["cpu"], unit="CPU-s",
               ceiling=found["bare_cpu"], higher_is_better=False)  # fmt: skip
    report.add(name=f"{name}.first_day", value=found["first_seconds"], unit="s")
    report.add(name=f"{name}.peak_memory", value=found["peak_gib"], unit="GiB")
    report.note(
        f"{name}: {found['scored']:,} scored, {found['alerts']:,} alerts open, "
        f"{found['summaries']:,} rows of the list"
    )


def _target(customers: int) -> float | None:
    """A size in between is promised what the next larger one is; beyond them nothing is."""
    return next((s for size, s in sorted(SECONDS.items()) if customers <= size), None)


def _child(customers: int, folder: Path) -> dict:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "gengyun.cli.benches.daily", str(customers)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GENGYUN_DATA": str(folder)},
    )
    if done.returncode:
        raise RuntimeError(f"the judgement of {customers:,} customers failed")
    return json.loads(done.stdout.splitlines()[-1])


def _judge(customers: int) -> dict:
    from gengyun.cli.bench import make_database, own_database
    from gengyun.cli.main import setup

    own_database()
    setup()
    make_database()
    from gengyun.alerts.models import Alert
    from gengyun.customers.actions.journeys import advance_journeys
    from gengyun.health.models import HealthScore
    from gengyun.kernel.days import day_of
    from gengyun.lake.store import Lake
    from gengyun.portfolio.models import CustomerSummary

    now = datetime.now(UTC)
    today = day_of(now)
    _world(customers, now, today)
    first = _day(today - timedelta(days=7), now)
    # stages as the nights before left them: made-up ones would all move in one night
    for nights in (3, 2, 1):
        advance_journeys(as_of=today - timedelta(days=7), now=now - timedelta(days=nights))
    second = _day(today, now)
    if {s["name"] for s in second["steps"]} < {"metrics", "health", "alerts", "summary"}:
        raise RuntimeError("a step of the day is missing")
    scored = HealthScore.objects.filter(as_of=today, score__isnull=False).count()
    rows = CustomerSummary.objects.filter(as_of=today).count()
    if rows != customers or scored < customers / 2:
        raise RuntimeError(f"{rows:,} rows, {scored:,} scores: not a judged day")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    bare_seconds, bare_cpu = _bare(Lake.default())
    return {
        **second,
        "first_seconds": first["seconds"],
        "bare_seconds": bare_seconds,
        "bare_cpu": bare_cpu,
        "peak_gib": peak,
        "scored": scored,
        "summaries": rows,
        "alerts": Alert.objects.filter(state="open").count(),
    }


def _world(customers: int, now: datetime, today) -> None:
    from gengyun.alerts.actions.defaults import install_defaults
    from gengyun.cli.benches import metrics, pages_world
    from gengyun.lake.store import Lake

    pages_world.build(now, customers, is_judged=False)
    install_defaults(now=now)
    metrics.build(Lake.default().path, customers, customers * EVENTS_EACH, today)


def _day(as_of, now: datetime) -> dict:
    """Seconds and CPU seconds of each step: one ends where the next begins to report."""
    from gengyun.kernel.day import judge_day

    marks: list[tuple[str, float, float]] = []

    def note(step: str, done: int, total: int) -> None:
        if not marks or marks[-1][0] != step:
            marks.append((step, time.perf_counter(), _cpu()))

    judge_day(as_of, now=now, data_until=now, on_progress=note)
    marks.append(("", time.perf_counter(), _cpu()))
    steps = [
        {"name": name, "seconds": ends[1] - at, "cpu": ends[2] - cpu}
        for (name, at, cpu), ends in pairwise(marks)
    ]
    return {
        "steps": steps,
        "seconds": marks[-1][1] - marks[0][1],
        "cpu": marks[-1][2] - marks[0][2],
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _bare(lake) -> tuple[float, float]:
    """Reading the roll-ups once, and copying the rows that the day wrote within the database."""
    from django.db import connection

    from gengyun.cli.benches.metrics import scan

    seconds, cpu = scan(lake)
    start, cpu_start = time.perf_counter(), _cpu()
    with connection.cursor() as cursor:
        for table in ("health_healthscore", "portfolio_customersummary"):
            cursor.execute(f"CREATE TEMPORARY TABLE bare_{table} AS SELECT * FROM {table}")  # noqa: S608
    return seconds + time.perf_counter() - start, cpu + _cpu() - cpu_start


if __name__ == "__main__":
    print(json.dumps(_judge(int(sys.argv[1]))))
