"""21 metrics of a subscription business, ten copies of it (9.67 million events), on 15 dates.

The data and the values are an answer key made elsewhere (the open-source package fightchurn); it
lies in `shared/oracles/fightchurn` beside the checkout and is no part of the product. Every value
is compared with the key before a time is told. `DEFINITIONS` say in our language what their metrics
mean: their "no row" is our unknown, and their days since the last event see the day in hand, which
is not known yet as of its beginning: they are ours as of the next day, with full days without.
"""

import csv
import gzip
import os
import shutil
import tempfile
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

EVENTS = ("post", "newfriend", "like", "adview", "dislike", "unfriend", "message", "reply")
COPIES, SECONDS = 10, 2.0
APART = 1_000  # customer ids of one copy
BEST_OF = 3


def _count(name, **more):
    counted = {"aggregate": "count", "events": [name], "window_days": 28, "if_none": "unknown"}
    return counted | more


def _ratio(above, below):
    body = {"numerator": above, "denominator": {"metric": below}, "unknown_is_zero": True}
    return {"ratio": body}


DEFINITIONS = {
    **{f"{name}_per_month": _count(name) for name in EVENTS},
    "account_tenure": {"days": {"since": "started_on"}},
    "total_opinions": {"total": ["like_per_month", "dislike_per_month"]},
    "unfriend_28day_avg_84day_obs": _count("unfriend", window_days=84, per_days=28),
    "unfriend_28avg_84obs": _count("unfriend", window_days=84, per_days=28, fewest_days=14),
    "adviw_per_post": _ratio("adview_per_month", "post_per_month"),
    "reply_per_message": _ratio("reply_per_month", "message_per_month"),
    "like_per_post": _ratio("like_per_month", "post_per_month"),
    "post_per_message": _ratio("post_per_month", "message_per_month"),
    "unfriend_per_newfriend": _ratio("unfriend_per_month", "newfriend_per_month"),
    "dislike_percent": _ratio("dislike_per_month", "total_opinions"),
    "unfriend_per_newfriend_scaled": _ratio("unfriend_28avg_84obs", "newfriend_per_month"),
    "new_friends_pcnt_change": {"change": {"metric": "newfriend_per_month", "days": 28}},
    "days_since_newfriend": {"aggregate": "days_without", "events": ["newfriend"]},
}
NEXT_DAY = ("days_since_newfriend",)
# a number that was divided after it was rounded: its last binary digit is not certain
ROUNDED_TWICE = ("unfriend_per_newfriend_scaled",)


def judged_on(metric, day):
    """The day as of which ours says what theirs says on `day`."""
    return day + timedelta(days=1) if metric in NEXT_DAY else day


def expected(folder):
    """metric -> day -> account -> value."""
    found = defaultdict(lambda: defaultdict(dict))
    with gzip.open(folder / "metric_expected.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["metric_time"])
            found[row["metric_name"]][day][row["account_id"]] = float(row["metric_value"])
    return found


def same_number(metric, ours, theirs):
    """Theirs went through 32-bit floats, step by step: ours are brought there the same way."""
    import numpy as np

    single = np.float32
    if metric == "new_friends_pcnt_change":  # they take 1 from a quotient that is rounded already
        return single(single(ours + 1) - single(1)) == single(theirs)
    return abs(single(ours) - single(theirs)) <= np.spacing(single(theirs)) * (
        metric in ROUNDED_TWICE
    )


def run(report) -> None:
    from gengyun.cli.bench import make_database
    from gengyun.lake.store import Lake

    folder = Path(__file__).resolve().parents[5] / "shared/oracles/fightchurn"
    if not folder.exists():
        report.say(f"fightchurn: the answer key is not here ({folder}), nothing is measured")
        return
    make_database()
    scratch = Path(tempfile.mkdtemp(prefix="lake-", dir=os.environ.get("GENGYUN_DATA")))
    try:
        lake = Lake(scratch)
        _fill(lake, folder)
        report.say(f"fightchurn: {lake.row_count('events'):,} events are in the lake")
        _measure(report, lake, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fill(lake, folder) -> None:
    from gengyun.lake.engine import connect

    db = connect(memory_limit="6GB")
    rows = db.sql(
        f"""SELECT DATE '2026-11-22' AS received_day,
            1 + account_id + {APART} * copy AS customer_id,
            CAST(0 AS BIGINT) AS user_key, '' AS user_id, 'track' AS kind,
            event_type_name AS event, CAST(event_time AS DATE) AS day,
            CAST(event_time AS DATE) AS known_day, stamp AS happened_at, stamp AS known_at,
            TIMESTAMPTZ '2026-11-22 00:00:00+00' AS received_at, CAST(1 AS INTEGER) AS source_id,
            CAST(hash(account_id, event_time, copy, event_type_id) // 2 AS BIGINT) AS message_key,
            '' AS properties
        FROM (SELECT *, timezone('UTC', CAST(event_time AS TIMESTAMP)) AS stamp
              FROM read_csv('{folder}/event.csv.gz') AS log
              JOIN read_csv('{folder}/event_type.csv') AS types USING (event_type_id)),
             range({COPIES}) copies(copy)"""  # noqa: S608 - our own paths
    ).to_arrow_table()
    lake.append("events", rows)


def _measure(report, lake, folder) -> None:
    import ibis  # noqa: F401 - importing it is no part of the answer

    from gengyun.usage.actions.rollups import roll_up
    from gengyun.usage.calc.definition import parse_definition
    from gengyun.usage.calc.plan import measures_for

    theirs = expected(folder)
    definitions = {key: parse_definition(raw) for key, raw in DEFINITIONS.items()}
    needs = [need for need in measures_for(definitions) if need.kind == "daily"]
    periods = _periods(folder)
    plain = _best(lambda: _plain_sql(lake, folder, theirs))
    raw = _best(lambda: _ours(lake, theirs, definitions, periods, raw=needs))
    equal, total = _compare(raw[1], theirs)
    start = time.perf_counter()
    _roll_up_for_good(lake, roll_up, needs)
    stored = time.perf_counter() - start
    rolled = _best(lambda: _ours(lake, theirs, definitions, periods, raw=None))
    again, _ = _compare(rolled[1], theirs)
    if min(equal, again) < total:
        raise RuntimeError(f"only {min(equal, again):,} of {total:,} values are those of the key")
    _tell(report, total, plain=plain, raw=raw, rolled=rolled, stored=stored)


def _tell(report, total, *, plain, raw, rolled, stored) -> None:
    report.add(name="fightchurn.values_equal", value=total, unit="values", target=total)
    for name, value, unit, ceiling, target in (
        ("from_raw_and_rollups", raw[0], "s", plain[0], SECONDS),
        ("from_raw_and_rollups_cpu", raw[2], "CPU-s", plain[2], None),
        ("from_stored_rollups", rolled[0], "s", plain[0], SECONDS),
        ("from_stored_rollups_cpu", rolled[2], "CPU-s", plain[2], None),
        ("rollups_stored_durably", stored, "s", None, None),
    ):
        report.add(
            name=f"fightchurn.{name}",
            value=value,
            unit=unit,
            ceiling=ceiling,
            target=target,
            higher_is_better=False,
        )
    report.note(
        "fightchurn: seconds are the best of three; from_raw_and_rollups adds up the raw events "
        "and asks every metric of every date; the ceiling is SQL written by hand for the same, "
        "on the same files with the same engine"
    )


def _best(work):
    """(seconds, result, CPU seconds) of the quickest run."""
    found = []
    for _ in range(BEST_OF):
        start, cpu = time.perf_counter(), time.process_time()
        result = work()
        found.append((time.perf_counter() - start, result, time.process_time() - cpu))
    return min(found, key=lambda item: item[0])


def _roll_up_for_good(lake, roll_up, needs) -> None:
    from datetime import UTC, datetime

    roll_up(lake=lake, now=datetime.now(UTC), needs=needs)


def _periods(folder):
    """account -> [(from this day on, start of the unbroken run or None)]."""
    from gengyun.customers.calc.tenure import customer_since

    periods = defaultdict(list)
    with (folder / "subscription.csv").open() as file:
        for row in csv.DictReader(file):
            start, end = (date.fromisoformat(row[name]) for name in ("start_date", "end_date"))
            periods[int(row["account_id"])].append((start, end))
    return {account: customer_since(mine) for account, mine in periods.items()}


def _ours(lake, theirs, definitions, periods, *, raw):
    """The values of every metric: [(metrics, Arrow table)]. `raw`: measures to be counted first."""
    from gengyun.lake.engine import Engine
    from gengyun.lake.rolling import roll_many
    from gengyun.usage.actions.rollups import measured
    from gengyun.usage.calc.definition import parts_of
    from gengyun.usage.calc.plan import plan_for
    from gengyun.usage.queries.running import run_plan

    parts, answers = parts_of(definitions), []
    with Engine() as engine:
        instead = None
        if raw is not None:
            items = [measured(need) for need in raw]
            counted = roll_many(engine.db, lake.files("events"), items)
            instead = {item.key: rows for item, rows in counted}
        for keys in ([key for key in definitions if key not in NEXT_DAY], NEXT_DAY):
            days = {judged_on(key, day) for key in keys for day in theirs[key]}
            plan = plan_for({key: definitions[key] for key in keys}, as_of=days, parts=parts)
            customers = _customers(plan, periods)
            answers.append((keys, run_plan(engine, lake, plan, customers, instead=instead)))
    return answers


def _customers(plan, periods):
    import pyarrow as pa

    accounts = sorted(periods)
    ids = [1 + account + APART * copy for copy in range(COPIES) for account in accounts]
    tables = []
    for as_of in plan.as_ofs:
        since = []
        for account in accounts:
            start = None
            for day, value in periods[account]:
                if day > as_of:
                    break
                start = value
            since.append(None if start is None else float((as_of - start).days))
        fields = {
            f"field_{name}": pa.array(since * COPIES, pa.float64()) for name in plan.day_fields()
        }
        day = pa.repeat(pa.scalar(as_of, pa.date32()), len(ids))
        tables.append(pa.table({"customer_id": ids, "as_of": day, **fields}))
    return pa.concat_tables(tables)


def _compare(answers, theirs):
    """(values that are those of the key, values in the key), unknown ones checked too."""
    equal = total = 0
    for keys, table in answers:
        columns = {key: table[key].to_pylist() for key in keys}
        rows = zip(table["as_of"].to_pylist(), table["customer_id"].to_pylist(), strict=True)
        for place, (as_of, pk) in enumerate(rows):
            account = str((pk - 1) % APART)
            for key in keys:
                day = as_of - timedelta(days=1) if key in NEXT_DAY else as_of
                if day not in theirs[key]:
                    continue
                ours, other = columns[key][place], theirs[key][day].get(account)
                if other is None and ours is None:
                    continue
                total += other is not None
                equal += None not in (ours, other) and same_number(key, ours, other)
                if other is None:
                    equal -= 1  # ours says something where the key says nothing
    return equal, total


def _plain_sql(lake, folder, theirs):
    """The same 21 metrics, by hand: what the engine needs when nobody keeps definitions as data."""
    from gengyun.lake.engine import connect, file_list

    db = connect()
    days = sorted({day for key, by_day in theirs.items() if key not in NEXT_DAY for day in by_day})
    listed = ", ".join(f"(DATE '{day}')" for day in days)
    names = ", ".join(f"count(*) FILTER (event = '{name}') AS \"{name}\"" for name in EVENTS)
    sums = ", ".join(f'sum("{name}") AS "{name}"' for name in EVENTS)
    source = f"read_parquet({file_list(lake.files('events'))}, hive_partitioning = false)"
    db.execute(_SQL.format(**locals(), apart=APART, copies=COPIES))
    return db.sql("SELECT * FROM answers").to_arrow_table()


_SQL = """
CREATE TEMP TABLE asked AS SELECT * FROM (VALUES {listed}) t(d);
CREATE TEMP TABLE near AS SELECT d, d - CAST(ago AS INTEGER) AS day, ago
    FROM asked, range(0, 200) t(ago);
CREATE TEMP TABLE daily AS SELECT customer_id AS a, day, {names} FROM {source} GROUP BY a, day;
CREATE TEMP TABLE counts AS SELECT a, d, {sums}
    FROM daily JOIN (FROM near WHERE ago BETWEEN 1 AND 28) USING (day) GROUP BY a, d;
CREATE TEMP TABLE before AS SELECT a, d, sum(newfriend) AS newfriend_before
    FROM daily JOIN (FROM near WHERE ago BETWEEN 29 AND 56) USING (day)
    WHERE newfriend > 0 GROUP BY a, d;
CREATE TEMP TABLE longer AS SELECT a, d, sum(unfriend) AS unfriend_84
    FROM daily JOIN (FROM near WHERE ago BETWEEN 1 AND 84) USING (day)
    WHERE unfriend > 0 GROUP BY a, d;
CREATE TEMP TABLE since AS SELECT a, d, min(ago) AS days_since
    FROM daily JOIN near USING (day) WHERE newfriend > 0 GROUP BY a, d;
CREATE TEMP TABLE tenure AS
WITH s AS (SELECT account_id, start_date, end_date,
        max(end_date) OVER (PARTITION BY account_id ORDER BY start_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM read_csv('{folder}/subscription.csv')),
r AS (SELECT *, sum(CASE WHEN before IS NULL OR start_date - before > 31 THEN 1 ELSE 0 END)
    OVER (PARTITION BY account_id ORDER BY start_date) AS run FROM s),
f AS (SELECT *, min(start_date) OVER (PARTITION BY account_id, run) AS since FROM r)
SELECT 1 + account_id + {apart} * copy AS a, d, max(d - since) AS tenure
FROM f JOIN asked ON start_date <= d AND end_date > d, range({copies}) c(copy) GROUP BY ALL;
CREATE TEMP TABLE answers AS SELECT *,
    "like" + dislike AS opinions, dislike / nullif("like" + dislike, 0) AS dislike_percent,
    adview / nullif(post, 0) AS adview_per_post, "like" / nullif(post, 0) AS like_per_post,
    reply / nullif(message, 0) AS reply_per_message, post / nullif(message, 0) AS post_per_message,
    unfriend / nullif(newfriend, 0) AS unfriend_per_newfriend,
    newfriend / nullif(newfriend_before, 0) - 1 AS new_friends_change,
    unfriend_84 * 28 / 84 AS unfriend_average,
    CASE WHEN tenure >= 14 THEN unfriend_84 * 28 / least(84, tenure) END AS unfriend_scaled,
    CASE WHEN tenure >= 14 THEN unfriend_84 * 28 / least(84, tenure) ELSE 0 END
        / nullif(newfriend, 0) AS unfriend_scaled_per_newfriend
FROM counts FULL JOIN before USING (a, d) FULL JOIN longer USING (a, d)
    FULL JOIN tenure USING (a, d) FULL JOIN since USING (a, d);
"""
