"""The values of a day: every active metric for every customer known by then, into the lake."""

from collections.abc import Callable
from datetime import date, datetime

import pyarrow as pa

from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of
from gengyun.lake import tables
from gengyun.lake.engine import Engine
from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.calc.plan import Plan, measures_for, plan_for
from gengyun.usage.queries.metrics import active_metrics, parsed
from gengyun.usage.queries.running import customer_rows, run_plan

Report = Callable[[int, int], None]
# customers per query: keeps memory near that of 200,000 customers however many there are
SHARD = 200_000


def compute_day(as_of: date, *, lake: Lake, now: datetime, report: Report | None = None) -> int:
    """Write the metric_values partition of `as_of`; returns the number of customers.

    Idempotent: the partition is replaced in one commit. Rolls up new events first.
    """
    metrics = active_metrics()
    definitions = parsed(metrics)
    roll_up(lake=lake, now=now, needs=measures_for(definitions))
    plan = plan_for(definitions, as_of=as_of)
    versions = {metric.key: metric.version for metric in metrics}
    ids = list(
        Customer.objects.filter(known_at__lt=start_of(as_of))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    parts = []
    with Engine() as engine:
        for start in range(0, len(ids), SHARD):
            customers = customer_rows(ids[start : start + SHARD], plan)
            parts.append(as_long(run_plan(engine, lake, plan, customers), plan, versions))
            if report:
                report(min(start + SHARD, len(ids)), len(ids))
    rows = pa.concat_tables(parts) if parts else tables.METRIC_VALUES.empty_table()
    lake.replace_partition("metric_values", "as_of", as_of, rows)
    return len(ids)


def as_long(wide: pa.Table, plan: Plan, versions: dict[str, int]) -> pa.Table:
    """One row per customer and metric, as the lake keeps them."""
    count = wide.num_rows
    parts = [
        pa.table(
            {
                "as_of": pa.repeat(pa.scalar(plan.as_of, pa.date32()), count),
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
