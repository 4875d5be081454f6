"""A new measure over 100 million events: what somebody waits for who has just made a metric.

The events are made up and written as Parquet by the engine itself (120 days, 100,000 customers from
very small to very large, 80 event names, JSON properties); then the real way: a measure that is not
rolled up yet is made from the whole table, sorted, written and committed durably.
"""

import os
import shutil
import tempfile
import time
import uuid
from datetime import date, timedelta
from pathlib import Path

DAYS, A_DAY, CUSTOMERS = 120, 833_334, 100_000
FIRST = date(2026, 1, 1)
SECONDS = 20.0
FREE_GIB = 12


def run(report) -> None:
    from gengyun.cli.bench import make_database
    from gengyun.lake.store import Lake
    from gengyun.usage.calc.plan import MeasureNeed

    parent = os.environ.get("GENGYUN_DATA") or tempfile.gettempdir()
    if shutil.disk_usage(parent).free < FREE_GIB * 1024**3:
        report.say(f"backfill: needs {FREE_GIB} GiB of free disk, nothing is measured")
        return
    make_database()
    scratch = Path(tempfile.mkdtemp(prefix="lake-", dir=parent))
    try:
        lake = Lake(scratch)
        report.say("backfill: making 100 million events (a few minutes)")
        start = time.perf_counter()
        _fill(lake, report)
        size = sum(row["size_bytes"] for row in lake.file_rows("events"))
        report.say(
            f"backfill: {lake.row_count('events'):,} events, {size / 1e9:.1f} GB, "
            f"made in {time.perf_counter() - start:.0f} s"
        )
        scan = _scan(lake)
        for name, need in (
            ("count", MeasureNeed("daily", ("event 1", "event 2", "event 3"))),
            ("users", MeasureNeed("users", ("event 1", "event 2", "event 3"))),
            ("sum_of_a_property", MeasureNeed("daily", ("event 2",), summed="rows")),
        ):
            cpu = time.process_time()
            seconds, rows = _backfill(lake, need)
            cpu = time.process_time() - cpu
            report.say(f"backfill: {name} made {rows:,} rows")
            report.add(
                name=f"backfill.{name}",
                value=seconds,
                unit="s",
                ceiling=scan,
                target=SECONDS,
                higher_is_better=False,
            )
            report.add(name=f"backfill.{name}_cpu", value=cpu, unit="CPU-s", higher_is_better=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report.note(
        "backfill: seconds of one roll-up over all events, committed and on disk; the ceiling is "
        "the engine reading customer, day, known day, user and event and doing nothing else"
    )


def _fill(lake, report) -> None:
    from gengyun.lake import parquet
    from gengyun.lake.engine import connect

    db = connect(memory_limit="2GB")
    db.execute("SELECT setseed(0.42)")
    made = []
    with lake.writing("events") as delta:
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            folder = lake.path / "events" / f"received_day={day}"
            folder.mkdir(parents=True)
            path = folder / f"{uuid.uuid4().hex}.parquet"
            db.execute(_DAY.format(day=day, path=path, customers=CUSTOMERS, count=A_DAY))
            stats = (
                f'{{"numRecords":{A_DAY},"minValues":{{"customer_id":1,"day":"{day}",'
                f'"known_day":"{day}"}},"maxValues":{{"customer_id":{CUSTOMERS},"day":"{day}",'
                f'"known_day":"{day}"}},"nullCount":{{}}}}'
            )
            partition = {"received_day": day.isoformat()}
            name = str(path.relative_to(lake.path / "events"))
            made.append(parquet.DataFile(name, path.stat().st_size, partition, A_DAY, stats))
            if number % 30 == 29:
                report.say(f"backfill: {number + 1} of {DAYS} days")
        lake._log_commit("events", delta, made, [], {}, same_rows=False)  # noqa: SLF001


_DAY = """COPY (
    SELECT customer_id, CAST(hash(customer_id, who) // 2 AS BIGINT) AS user_key,
           'u' || who AS user_id, 'track' AS kind,
           'event ' || CAST(floor(80 * pow(random(), 2)) AS INTEGER) AS event,
           DATE '{day}' AS day, DATE '{day}' AS known_day,
           happened AS happened_at, happened AS known_at, happened AS received_at,
           CAST(1 AS INTEGER) AS source_id,
           CAST(hash(number, '{day}') // 2 AS BIGINT) AS message_key,
           CASE WHEN number % 4 = 0
                THEN '{{"rows":' || CAST(floor(random() * 1000) AS INTEGER) || '}}'
                ELSE '' END AS properties
    FROM (SELECT range AS number,
                 1 + CAST(floor({customers} * pow(random(), 2.2)) AS BIGINT) AS customer_id,
                 CAST(floor(pow(random(), 3) * 400) AS BIGINT) AS who,
                 TIMESTAMPTZ '{day} 00:00:00+00' + to_seconds(floor(random() * 50000)) AS happened
          FROM range({count}))
    ORDER BY customer_id
) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)"""


def _scan(lake) -> float:
    from gengyun.lake.engine import connect, file_list

    db = connect()
    found = []
    for _ in range(2):
        start = time.perf_counter()
        db.execute(
            "SELECT max(customer_id), max(day), max(known_day), max(user_key), max(event) "  # noqa: S608
            f"FROM read_parquet({file_list(lake.files('events'))}) WHERE event <> ''"
        )
        db.fetchall()
        found.append(time.perf_counter() - start)
    return min(found)


def _backfill(lake, need) -> tuple[float, int]:
    """(seconds, rows) of making one measure from everything, as `roll_up` does it."""
    from gengyun.lake.engine import connect
    from gengyun.lake.rolling import TABLE_OF, roll_many
    from gengyun.usage.actions.rollups import mark_name, measured

    start = time.perf_counter()
    db = connect()
    try:
        ((_, rows),) = roll_many(db, lake.files("events"), [measured(need)])
    finally:
        db.close()
    lake.commit(
        TABLE_OF[need.kind],
        add=rows,
        replace=[("measure", "=", need.key)],
        marks={mark_name(need.key): lake.version("events")},
    )
    seconds = time.perf_counter() - start
    if not rows.num_rows:
        raise RuntimeError("the measure is empty: nothing was measured")
    return seconds, rows.num_rows
