"""A day of fifty SOPs over 1,000,000 customers (200,000 on SQLite), the steps that come of it, and
how soon after an event the first step is done.

Customers and SOPs are made up (`sop_world`); from there on it is what the night and the worker do.
The SOPs have run for two days before the day that is measured. Evaluation and stepping have a
process and a database of their own, so that peak memory is theirs.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

CUSTOMERS = {"postgresql": 1_000_000, "sqlite": 200_000}
SECONDS = {"postgresql": 60.0, "sqlite": 120.0}  # of an evaluation
GIBIBYTES = 2.0
STEPS_A_SECOND = 5_000.0
PARTS = ("day", "event")


def run(report) -> None:
    from django.db import connection

    vendor = connection.vendor
    for part in report.only or PARTS:
        if part == "event":
            from gengyun.cli.benches.sop_event import run as run_event

            run_event(report)
            continue
        customers = report.customers or CUSTOMERS[vendor]
        report.say(f"sop: making {customers:,} customers and two days of 50 SOPs")
        folder = Path(tempfile.mkdtemp(prefix="sop-", dir=os.environ.get("GENGYUN_DATA")))
        try:
            _tell(report, vendor, _child(customers, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _tell(report, vendor: str, found: dict) -> None:
    day, steps = found["day"], found["steps"]
    report.add(
        name="sop.evaluation_of_a_day", value=day["seconds"], unit="s", ceiling=found["bare"],
        target=SECONDS[vendor] if found["customers"] <= CUSTOMERS[vendor] else None,
        higher_is_better=False,
    )  # fmt: skip
    report.add(name="sop.evaluation_cpu", value=day["cpu"], unit="CPU-s")
    if day["database_cpu"]:
        report.add(name="sop.evaluation_cpu_database", value=day["database_cpu"], unit="CPU-s")
    report.add(name="sop.first_day", value=found["first"]["seconds"], unit="s")
    report.add(
        name="sop.peak_memory", value=found["peak_gib"], unit="GiB", target=GIBIBYTES,
        higher_is_better=False,
    )  # fmt: skip
    if found["database_gib"]:
        report.add(name="sop.peak_memory_database", value=found["database_gib"], unit="GiB")
    report.add(
        name="sop.steps_a_second", value=steps["count"] / steps["seconds"], unit="steps/s",
        ceiling=steps["count"] / found["bare_steps"], target=STEPS_A_SECOND,
    )  # fmt: skip
    report.add(
        name="sop.steps_cpu", value=(steps["cpu"] + steps["database_cpu"]) / steps["count"] * 1e6,
        unit="CPU-us a step",
    )  # fmt: skip
    report.note(
        f"sop: {found['customers']:,} customers, {found['conditions']} conditions of 50 SOPs; on "
        f"the day {found['moved']:,} customers had other numbers, {found['entered']:,} entered "
        f"({found['held_out']:,} of them held out), {found['active']:,} were inside"
    )
    report.note(
        "sop: the ceiling of the evaluation is the database reading every summary once and copying "
        "the runs of the day; of the steps, the database copying the lines and runs they wrote"
    )
    kinds = ", ".join(f"{name} {count:,}" for name, count in sorted(steps["kinds"].items()))
    report.note(f"sop: {steps['count']:,} steps of {steps['runs']:,} looks: {kinds}")


def _child(customers: int, folder: Path) -> dict:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "gengyun.cli.benches.sop", str(customers)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GENGYUN_DATA": str(folder)},
    )
    if done.returncode:
        raise RuntimeError(f"the day of {customers:,} customers failed")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _timed(found: dict):
    """Seconds, CPU seconds of this process and of the database's; a busy machine changes only the
    first."""
    start, cpu, database = time.perf_counter(), time.process_time(), _database_cpu()
    yield
    found["seconds"], found["cpu"] = time.perf_counter() - start, time.process_time() - cpu
    found["database_cpu"] = _database_cpu() - database


def _measure(customers: int) -> dict:
    from gengyun.cli.bench import make_database, own_database
    from gengyun.cli.main import setup

    own_database()
    setup()
    make_database()
    from gengyun.cli.benches import sop_world
    from gengyun.kernel.days import day_of
    from gengyun.sop.models import Run

    now = datetime(2026, 11, 9, 18, 30, tzinfo=UTC)  # a Tuesday, 2:30 in the morning in Shanghai
    sop_world.build(customers, now)
    sop_world.go_live(now)
    found: dict = {"customers": customers, "first": {}, "day": {}, "steps": {}}
    days = (found["first"], {}, found["day"])
    for number, one in enumerate(days):
        now += timedelta(days=1)
        if number:
            found["moved"] = sop_world.next_day(now, number)
        with _timed(one):
            _evaluate(now)
        if number < len(days) - 1:
            _step(now)
    day = Run.objects.filter(entered_on=day_of(now))
    found["entered"], found["held_out"] = day.count(), day.filter(arm="holdout").count()
    found["active"] = Run.objects.active().count()
    if not customers // 1_000 < found["entered"] < customers:
        raise RuntimeError(f"{found['entered']:,} entered: not a day of SOPs")
    found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    found["database_gib"] = _database_gib()
    found["conditions"], found["bare"] = _conditions(), _bare(now)
    found["steps"], found["bare_steps"] = _stepping(now)
    return found


def _evaluate(now: datetime) -> None:
    from gengyun.kernel.days import day_of
    from gengyun.sop.actions.evaluate import evaluate

    evaluate(now=now, day=day_of(now))


def _step(now: datetime) -> Counter[str]:
    from gengyun.sop.actions.step import run_due

    return run_due(now=now, worker="bench")


def _stepping(now: datetime) -> tuple[dict, float]:
    """What entered on the day does its first steps; ten days later it goes on."""
    from django.db.models import Max

    from gengyun.sop.models import StepRun

    before = StepRun.objects.aggregate(last=Max("pk"))["last"] or 0
    found: dict = {}
    with _timed(found):
        done = _step(now) + _step(now + timedelta(days=10))
    lines = StepRun.objects.filter(pk__gt=before)
    if lines.count() < done["steps"]:
        raise RuntimeError(f"{done['steps']:,} steps left {lines.count():,} lines")
    found["count"], found["runs"] = done["steps"], done["runs"]
    found["kinds"] = Counter(lines.order_by().values_list("kind", flat=True))
    written = f"id IN (SELECT run_id FROM sop_steprun WHERE id > {before})"  # noqa: S608
    return found, _copy("sop_steprun", f"id > {before}") + _copy("sop_run", written)


def _bare(now: datetime) -> float:
    from gengyun.kernel.days import day_of

    whole = _copy("portfolio_customersummary", "false", "SELECT max(score), max(need_codes), "
                  "max(churn), max(band), max(renews_on), max(active_users_7d) "
                  "FROM portfolio_customersummary")  # fmt: skip
    return whole + _copy("sop_run", f"entered_on = '{day_of(now).isoformat()}'")


def _copy(table: str, where: str, first: str = "") -> float:
    """Seconds in which the database copies rows of its own, after reading others."""
    from django.db import connection

    start = time.perf_counter()
    with connection.cursor() as cursor:
        if first:
            cursor.execute(first)
            cursor.fetchall()
        cursor.execute(f"CREATE TEMPORARY TABLE bare AS SELECT * FROM {table} WHERE {where}")  # noqa: S608
        cursor.execute("DROP TABLE bare")
    return time.perf_counter() - start


def _conditions() -> int:
    from gengyun.portfolio.models import Watch

    return Watch.objects.count()


def _of_database(file: str) -> str:
    """What Linux says of the process that serves this connection; "" where it is not here."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found = Path(f"/proc/{cursor.fetchone()[0]}/{file}")
    try:
        return found.read_text()
    except OSError:
        return ""


def _database_gib() -> float | None:
    """Its peak memory, shared buffers included."""
    lines = _of_database("status").splitlines()
    found = [int(line.split()[1]) / 1024**2 for line in lines if line.startswith("VmHWM")]
    return found[0] if found else None


def _database_cpu() -> float:
    """Seconds on a processor so far; 0 where nobody knows."""
    found = _of_database("schedstat").split()
    return int(found[0]) / 1e9 if found else 0.0


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
