"""Twelve metrics of 100,000 customers from the roll-ups of 100 million events.

The roll-ups are made up (they have the shape of 120 days, 100,000 customers from very small to very
large, about 12 events per active user and day, 80 features, one event in a hundred late); from
there on it is the real path: plan, Ibis, DuckDB, values of the day written to the lake. Building
and asking run in processes of their own, so that the peak memory is that of asking alone.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

AS_OF = date(2026, 5, 1)
DAYS = 120
CUSTOMERS = 100_000
EVENTS = 100_000_000
SECONDS, GIBIBYTES = 4.0, 1.5


def run(report) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lake-", dir=os.environ.get("GENGYUN_DATA")))
    try:
        report.say("metrics: making roll-ups of 100 million events (about half a minute)")
        built = child("build", folder)
        report.say(f"metrics: {built['events']:,} events, {built['rows']:,} rows of roll-ups")
        found = child("ask", folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.add(
        name="metrics.day_of_12_metrics",
        value=found["seconds"],
        unit="s",
        ceiling=found["scan_seconds"],
        target=SECONDS,
        higher_is_better=False,
    )
    report.add(
        name="metrics.day_of_12_metrics_cpu",
        value=found["cpu_seconds"],
        unit="CPU-s",
        ceiling=found["scan_cpu_seconds"],
        higher_is_better=False,
    )
    report.add(
        name="metrics.peak_memory",
        value=found["peak_gib"],
        unit="GiB",
        ceiling=found["scan_gib"],
        target=GIBIBYTES,
        higher_is_better=False,
    )
    report.note(
        "metrics: seconds are the middle of three days; the ceiling is the engine reading every "
        "column that the metrics need and doing nothing else, in time and in memory"
    )


def child(step: str, folder: Path) -> dict:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "gengyun.cli.benches.metrics", step, str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def build(
    folder: Path, customers: int = CUSTOMERS, events: int = EVENTS, as_of: date = AS_OF
) -> dict:
    """Roll-ups as the drain of 120 days would have left them, after compaction."""
    from gengyun.lake.engine import connect
    from gengyun.lake.store import Lake

    lake, db = Lake(folder), connect(memory_limit="4GB")
    db.execute("SELECT setseed(0.42)")
    user_days = events // 12
    # customer sizes follow a power law; a user belongs to one customer and comes back
    db.execute(
        f"""CREATE TABLE user_day AS
        SELECT customer_id, CAST(hash(customer_id, who) // 2 AS BIGINT) AS key, day,
               CASE WHEN late < 0.03 THEN day + 1 + CAST(late * 100 AS INTEGER) ELSE day END
                   AS known_day,
               n
        FROM (SELECT 1 + CAST(floor({customers} * pow(random(), 2.2)) AS BIGINT) AS customer_id,
                     CAST(floor(pow(random(), 3) * 400) AS BIGINT) AS who,
                     DATE '{as_of}' - {DAYS} + CAST(floor(random() * {DAYS}) AS INTEGER) AS day,
                     random() AS late, 1 + CAST(floor(random() * 23) AS BIGINT) AS n
              FROM range({user_days}))"""  # noqa: S608
    )
    # a late row is a second delivery of part of the day: the day has two rows then
    for table, key, query in (
        (
            "daily",
            "daily-all",
            """SELECT customer_id, day, known_day, CAST(sum(n) AS BIGINT) AS n,
                      CAST(0 AS BIGINT) AS total_micro FROM user_day GROUP BY ALL""",
        ),
        ("presence", "users-all", _PRESENCE.format(source="user_day")),
        (
            "presence",
            "features-all",
            _PRESENCE.format(
                source="""(SELECT customer_id, day, known_day,
                    CAST(floor(80 * pow(random(), 2)) AS BIGINT) AS key
                    FROM user_day, range(5))"""
            ),
        ),
    ):
        rows = db.sql(f"SELECT '{key}' AS measure, * FROM ({query})").to_arrow_table()  # noqa: S608
        lake.append(table, rows)
    return {
        "events": db.execute("SELECT CAST(sum(n) AS BIGINT) FROM user_day").fetchall()[0][0],
        "rows": lake.row_count("daily") + lake.row_count("presence"),
    }


_PRESENCE = """SELECT customer_id, key, CAST(date_trunc('month', day) AS DATE) AS month,
    CASE WHEN known_day <= day THEN DATE '1970-01-01' ELSE known_day END AS known_day,
    CAST(bit_or(1 << (extract(day FROM day) - 1)) AS INTEGER) AS days
    FROM {source} GROUP BY ALL"""


def _ask(folder: Path) -> dict:
    import pyarrow as pa

    from gengyun.cli.bench import make_database
    from gengyun.cli.main import setup

    setup()
    make_database()
    from gengyun.lake.engine import Engine
    from gengyun.lake.store import Lake
    from gengyun.usage.actions.compute import as_long
    from gengyun.usage.actions.defaults import DEFAULT_METRICS
    from gengyun.usage.calc.definition import parse_definition
    from gengyun.usage.calc.plan import plan_for
    from gengyun.usage.queries.running import run_plan

    lake = Lake(folder)
    definitions = {item[0]: parse_definition(item[5]) for item in DEFAULT_METRICS}
    versions = dict.fromkeys(definitions, 1)
    ids = list(range(1, CUSTOMERS + 1))
    customers = pa.table(
        {
            "customer_id": ids,
            "as_of": pa.repeat(pa.scalar(AS_OF, pa.date32()), len(ids)),
            "field_seats": pa.array([1 + pk % 50 for pk in ids], pa.float64()),
        }
    )
    scan_seconds, scan_cpu = scan(lake)
    scan_gib = peak_gib()
    seconds, cpu_seconds = [], []
    for _ in range(3):
        start, cpu_start = time.perf_counter(), time.process_time()
        with Engine() as engine:
            plan = plan_for(definitions, as_of=AS_OF)
            rows = as_long(run_plan(engine, lake, plan, customers), plan, versions)
            lake.replace_partition("metric_values", "as_of", AS_OF, rows)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    known = rows.num_rows - rows["value"].null_count
    if rows.num_rows != CUSTOMERS * len(definitions) or known < rows.num_rows / 3:
        raise RuntimeError(f"{known} of {rows.num_rows} values are known: not a day of metrics")
    return {
        "seconds": sorted(seconds)[1],
        "cpu_seconds": sorted(cpu_seconds)[1],
        "scan_cpu_seconds": scan_cpu,
        "peak_gib": peak_gib(),
        "scan_seconds": scan_seconds,
        "scan_gib": scan_gib,
        "values": rows.num_rows,
    }


def scan(lake) -> tuple[float, float]:
    """The ceiling: the engine reads every column the metrics need, and does nothing else.

    Seconds and CPU seconds of the best of three.
    """
    from gengyun.lake.engine import connect, file_list

    db = connect()
    found = []
    for _ in range(3):
        start, cpu_start = time.perf_counter(), time.process_time()
        for table, columns in (
            ("daily", ("customer_id", "day", "known_day", "n")),
            ("presence", ("customer_id", "key", "month", "known_day", "days")),
        ):
            wanted = ", ".join(f"max({name})" for name in columns)
            db.execute(f"SELECT {wanted} FROM read_parquet({file_list(lake.files(table))})")  # noqa: S608
            db.fetchall()
        found.append((time.perf_counter() - start, time.process_time() - cpu_start))
    return min(found)


def peak_gib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    print(json.dumps({"build": build, "ask": _ask}[sys.argv[1]](Path(sys.argv[2]))))
