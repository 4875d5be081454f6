"""Twelve metrics of 1,000,000 customers from the roll-ups of 1 billion events, shard by shard.

Ten groups of 100,000 customers that behave alike: the roll-ups of `bench metrics`, ten times under
other ids (a gigabyte on disk; a billion raw events would be 27). Asking is the real way, day
written included, in a process of its own, so that the peak memory is that of asking alone.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from gengyun.cli.benches import metrics

GROUPS = 10
SECONDS, GIBIBYTES = 90.0, 2.0
FREE_GIB = 6


def run(report) -> None:
    parent = os.environ.get("GENGYUN_DATA") or tempfile.gettempdir()
    if shutil.disk_usage(parent).free < FREE_GIB * 1024**3:
        report.say(f"shards: needs {FREE_GIB} GiB of free disk, nothing is measured")
        return
    folder = Path(tempfile.mkdtemp(prefix="lake-", dir=parent))
    try:
        report.say("shards: making roll-ups of 1 billion events (a minute or two)")
        built = metrics.child("build", folder)
        rows = _multiply(folder)
        report.say(f"shards: {built['events'] * GROUPS:,} events, {rows:,} rows of roll-ups")
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "gengyun.cli.benches.shards", str(folder)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, unit, ceiling, target in (
        ("seconds", "s", found["scan_seconds"], SECONDS),
        ("cpu_seconds", "CPU-s", None, None),
        ("peak_gib", "GiB", None, GIBIBYTES),
    ):
        report.add(
            name=f"shards.day_of_12_metrics_{name}",
            value=found[name],
            unit=unit,
            ceiling=ceiling,
            target=target,
            higher_is_better=False,
        )
    report.note(
        f"shards: 1,000,000 customers, {built['events'] * GROUPS:,} events, one run; the ceiling "
        "is the engine reading every column that the metrics need and doing nothing else"
    )


def _multiply(folder: Path) -> int:
    """The other groups: the same files with other customers."""
    from gengyun.lake import parquet
    from gengyun.lake.engine import connect
    from gengyun.lake.store import Lake

    lake, db = Lake(folder), connect(memory_limit="1GB")
    db.execute("SET preserve_insertion_order = true")  # the rows stay sorted
    for table in ("daily", "presence"):
        made = []
        with lake.writing(table) as delta:
            for row in lake.file_rows(table):
                source = lake.path / table / row["path"]
                for group in range(1, GROUPS):
                    shift = group * metrics.CUSTOMERS
                    path = source.with_name(f"{uuid.uuid4().hex}.parquet")
                    db.execute(
                        f"COPY (SELECT * REPLACE (customer_id + {shift} AS customer_id) "  # noqa: S608
                        f"FROM read_parquet('{source}', hive_partitioning = false)) TO '{path}' "
                        "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)"
                    )
                    made.append(
                        parquet.DataFile(
                            path=str(path.relative_to(lake.path / table)),
                            size=path.stat().st_size,
                            partition={"measure": row["partition.measure"]},
                            rows=row["num_records"],
                            stats=_stats(row, shift),
                        )
                    )
            lake._log_commit(table, delta, made, [], {}, same_rows=False)  # noqa: SLF001
    return lake.row_count("daily") + lake.row_count("presence")


def _stats(row: dict, shift: int) -> str:
    ends = {}
    for end, name in (("min", "minValues"), ("max", "maxValues")):
        found = {
            key.removeprefix(f"{end}."): value
            for key, value in row.items()
            if key.startswith(f"{end}.") and value is not None
        }
        found["customer_id"] += shift
        ends[name] = {
            key: value if isinstance(value, int) else value.isoformat()
            for key, value in found.items()
        }
    return json.dumps({"numRecords": row["num_records"], **ends, "nullCount": {}})


def _ask(folder: Path) -> dict:
    from gengyun.cli.bench import make_database
    from gengyun.cli.main import setup

    setup()
    make_database()
    from gengyun.lake.store import Lake
    from gengyun.usage.actions.compute import SHARD
    from gengyun.usage.actions.defaults import DEFAULT_METRICS
    from gengyun.usage.calc.definition import parse_definition
    from gengyun.usage.calc.plan import plan_for

    lake, known = Lake(folder), [0, 0]
    definitions = {item[0]: parse_definition(item[5]) for item in DEFAULT_METRICS}
    plan = plan_for(definitions, as_of=metrics.AS_OF)
    start, cpu = time.perf_counter(), time.process_time()
    shards = _shards(lake, plan, SHARD, known)
    lake.replace_partition("metric_values", "as_of", metrics.AS_OF, shards)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = metrics.peak_gib()  # before the scan has its own
    total = metrics.CUSTOMERS * GROUPS * len(definitions)
    if known[0] != total or known[1] < total / 3:
        raise RuntimeError(f"{known[1]} of {known[0]} values are known: not a day of metrics")
    scan, _ = metrics.scan(lake)
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_gib": peak, "scan_seconds": scan}


def _shards(lake, plan, size, known):
    import pyarrow as pa

    from gengyun.lake.engines import open_engine
    from gengyun.usage.actions.compute import as_long
    from gengyun.usage.queries.running import run_plan

    versions = {output.metric: 1 for output in plan.outputs}
    with open_engine() as engine:
        for first in range(1, metrics.CUSTOMERS * GROUPS, size):
            ids = range(first, first + size)
            customers = pa.table(
                {
                    "customer_id": pa.array(ids, pa.int64()),
                    "as_of": pa.repeat(pa.scalar(plan.newest, pa.date32()), size),
                    "field_seats": pa.array([1 + pk % 50 for pk in ids], pa.float64()),
                }
            )
            rows = as_long(run_plan(engine, lake, plan, customers), plan, versions)
            known[0] += rows.num_rows
            known[1] += rows.num_rows - rows["value"].null_count
            yield rows


if __name__ == "__main__":
    print(json.dumps(_ask(Path(sys.argv[1]))))
