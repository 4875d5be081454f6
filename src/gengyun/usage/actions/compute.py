"""The values of a day: every active metric for every customer known by then, into the lake."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of
from gengyun.lake import tables
from gengyun.lake.engines import Answering, open_engine
from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.calc.plan import Plan, measures_for, plan_for
from gengyun.usage.queries.metrics import active_metrics, parsed
from gengyun.usage.queries.running import customer_rows, run_plan

Report = Callable[[int, int], None]
# customers per query: keeps memory near that of 100,000 customers however many there are
SHARD = 100_000
DAYS_TOGETHER = 16  # a row of a roll-up meets every one of these days that it counts for


def compute_day(as_of: date, *, lake: Lake, now: datetime, report: Report | None = None) -> int:
    """Write the metric_values partition of `as_of`; returns the number of customers.

    Idempotent: the partition is replaced in one commit. Rolls up new events first.
    """
    return compute_days([as_of], lake=lake, now=now, report=report)[as_of]


def compute_days(
    as_ofs: Iterable[date], *, lake: Lake, now: datetime, report: Report | None = None
) -> dict[date, int]:
    """Write metric_values of several days: asked together, they cost little more than one.

    Returns the number of customers of each day.
    """
    metrics = active_metrics()
    definitions = parsed(metrics)
    roll_up(lake=lake, now=now, needs=measures_for(definitions))
    versions = {metric.key: metric.version for metric in metrics}
    days = sorted(set(as_ofs))
    counts: dict[date, int] = {}
    with open_engine() as engine:
        for at in range(0, len(days), DAYS_TOGETHER):
            plan = plan_for(definitions, as_of=days[at : at + DAYS_TOGETHER])
            ids, known_at = _customers(plan)
            shards = _shards(
                engine,
                lake,
                plan,
                ids=ids,
                known_at=known_at,
                versions=versions,
                report=report,
            )
            if len(plan.as_ofs) == 1:
                # as they come: so many customers need no more memory than a shard
                lake.replace_partition("metric_values", "as_of", plan.newest, shards)
                counts[plan.newest] = len(ids)
                continue
            rows = pa.concat_tables([tables.METRIC_VALUES.empty_table(), *shards])
            for day in plan.as_ofs:
                mine = rows.filter(pc.equal(rows["as_of"], pa.scalar(day)))
                lake.replace_partition("metric_values", "as_of", day, [mine])
                counts[day] = mine.num_rows // max(1, len(plan.outputs))
    return counts


def _customers(plan: Plan) -> tuple[list[int], dict[int, datetime] | None]:
    """Who was known by the newest day; since when, if older days are asked about too."""
    rows = Customer.objects.filter(known_at__lt=start_of(plan.newest)).order_by("pk")
    if len(plan.as_ofs) == 1:
        return list(rows.values_list("pk", flat=True)), None
    known_at = dict(rows.values_list("pk", "known_at"))
    return list(known_at), known_at


def _shards(
    engine: Answering,
    lake: Lake,
    plan: Plan,
    *,
    ids: list[int],
    known_at: Mapping[int, datetime] | None,
    versions: Mapping[str, int],
    report: Report | None,
) -> Iterator[pa.Table]:
    size = max(1, SHARD // len(plan.as_ofs))
    for start in range(0, len(ids), size):
        customers = customer_rows(ids[start : start + size], plan, known_at=known_at)
        yield as_long(run_plan(engine, lake, plan, customers), plan, versions)
        if report:
            report(min(start + size, len(ids)), len(ids))


def as_long(wide: pa.Table, plan: Plan, versions: Mapping[str, int]) -> pa.Table:
    """One row per day, customer and metric, as the lake keeps them."""
    count = wide.num_rows
    parts = [
        pa.table(
            {
                "as_of": wide["as_of"],
                "customer_id": wide["customer_id"],
                "metric": pa.repeat(output.metric, count),
                "version": pa.repeat(pa.scalar(versions[output.metric], pa.int32()), count),
                "value": wide[output.metric],
            },
        )
        for output in plan.outputs
    ]
    if not parts:
        return tables.METRIC_VALUES.empty_table()
    return pa.concat_tables(parts).cast(tables.METRIC_VALUES)
