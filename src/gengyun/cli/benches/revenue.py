"""Waterfall, NRR, GRR and renewal rate of sixty months, over 1,000,000 lines of 100,000 customers.

The rows are made up (see `revenue_world`); from there on it is the path of `gengyun revenue`. The
ledger is asked in a process of its own, so that the peak memory is that of asking alone. The
first reading makes the kept copy of the movements (`queries.frames`) and is measured apart.
"""

import json
import os
import subprocess
import sys
import time

SECONDS, GIBIBYTES = 3.0, 1.0
ASKED = ("waterfall", "nrr", "grr", "renewal-rate")


def run(report) -> None:
    from gengyun.cli.bench import make_database
    from gengyun.cli.benches import revenue_world

    make_database()
    report.say("revenue: making a ledger of 1,000,000 lines (a few minutes)")
    made = revenue_world.build()
    report.say(f"revenue: {made['lines']:,} lines, {made['movements']:,} movements")
    first = _child("first")
    report.add(name="revenue.first_reading", value=first["seconds"], unit="s")
    found = _child("ask")
    report.add(
        name="revenue.60_months",
        value=found["seconds"],
        unit="s",
        ceiling=found["engine_seconds"],
        target=SECONDS,
        higher_is_better=False,
    )
    report.add(
        name="revenue.60_months_cpu",
        value=found["cpu_seconds"],
        unit="CPU-s",
        ceiling=found["engine_cpu_seconds"],
        higher_is_better=False,
    )
    report.add(
        name="revenue.peak_memory",
        value=found["peak_gib"],
        unit="GiB",
        target=GIBIBYTES,
        higher_is_better=False,
    )
    report.note(
        "revenue: all four metrics of all sixty months in one process, Django's start left out, "
        "the check of the kept copy against the database included; the ceiling is DuckDB grouping "
        "the same movements by customer, month and kind once, from memory, for the waterfall alone"
    )


def _child(step: str) -> dict:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "gengyun.cli.benches.revenue", step],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def _first() -> dict:
    from gengyun.cli.main import setup

    setup()
    from gengyun.revenue.queries.frames import movement_frame

    start = time.perf_counter()
    rows = len(movement_frame())
    return {"seconds": time.perf_counter() - start, "rows": rows}


def _ask() -> dict:
    from gengyun.cli.main import setup

    setup()
    from gengyun.cli.benches.revenue_world import LAST, months
    from gengyun.revenue.calc.policies import DEFAULT
    from gengyun.revenue.calc.spans import spans
    from gengyun.revenue.queries.answers import Question, ask

    periods = spans("month", next(months()), LAST)
    best = None
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        question = Question(actor=None, spans=periods, policy=DEFAULT, as_of=LAST)
        answers = {name: ask(name, question) for name in ASKED}
        took = time.perf_counter() - start, time.process_time() - cpu
        best = took if best is None else min(best, took)
    peak = _peak_gib()
    falls = answers["waterfall"]
    if len(falls) != len(periods) or any(row.values["remainder"] for row in falls):
        raise RuntimeError("the waterfall does not close")
    if not all(row.values["nrr"].is_known for row in answers["nrr"][12:]):
        raise RuntimeError("NRR of a full year is not known")
    engine = _engine(question, falls)
    return {
        "seconds": best[0],
        "cpu_seconds": best[1],
        "peak_gib": peak,
        "engine_seconds": engine[0],
        "engine_cpu_seconds": engine[1],
        "nrr": float(answers["nrr"][-1].values["nrr"].value),
        "grr": float(answers["grr"][-1].values["grr"].value),
        "renewal_rate": float(answers["renewal-rate"][-3].values["net"].value),
    }


def _engine(question, falls) -> tuple[float, float]:
    """The engine of the lake, for the same closing balances: they must be equal."""
    import pyarrow as pa

    from gengyun.lake.engine import connect

    moves = question.book.moves
    rows = pa.table(
        {"unit": moves.unit, "day": moves.day, "amount": moves.amount, "kind": moves.kind}
    )
    db = connect()
    db.register("moves", rows)
    found = []
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        grouped = db.sql(
            """SELECT unit, date_trunc('month', DATE '1970-01-01' + CAST(day AS INTEGER)) AS month,
                      kind, sum(amount) AS amount FROM moves GROUP BY ALL"""
        ).to_arrow_table()
        found.append((time.perf_counter() - start, time.process_time() - cpu))
    db.register("grouped", grouped)
    total = db.execute("SELECT CAST(sum(amount) AS BIGINT) FROM grouped").fetchall()[0][0]
    later = int(moves.amount[moves.day > question.ends[-1]].sum())
    if total - later != falls[-1].values["closing"]:
        raise RuntimeError(f"the engine adds up to {total}, the waterfall closes otherwise")
    return min(found)


def _peak_gib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    print(json.dumps({"first": _first, "ask": _ask}[sys.argv[1]]()))
