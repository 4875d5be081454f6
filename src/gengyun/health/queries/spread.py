"""How the values of a metric lie among the customers, for choosing thresholds.

A metric that was made since the last night has no values yet: they are counted here for the newest
measured day, for some customers, so that whoever makes a metric can use it in the same hour.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gengyun.customers.models import Customer
from gengyun.health.calc.peers import PERCENTILES
from gengyun.kernel.days import start_of
from gengyun.lake.store import Lake
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import judged_days, preview, values_table

SAMPLE = 500  # customers that a new metric is counted for at once


@dataclass(frozen=True)
class Spread:
    """Of the newest measured day."""

    points: tuple[float, ...]  # at 10, 35, 65 and 90 percent
    middle: float
    count: int


def spreads(metrics: Collection[str], lake: Lake | None = None) -> dict[str, Spread]:
    """Metric -> spread; a metric without values is not there."""
    lake = lake or Lake.default()
    days = judged_days(lake)
    if not days or not metrics:
        return {}
    key = tuple(sorted(metrics))
    stored = _spreads(lake.path, lake.version("metric_values"), days[-1], key)
    fresh = fresh_values(set(metrics) - set(stored), days[-1], lake=lake)
    return {**stored, **{metric: _spread(values) for metric, values in fresh.items() if values}}


def fresh_values(
    metrics: Collection[str], day: date, *, lake: Lake | None = None
) -> dict[str, dict[int, float]]:
    """Metric -> customer -> value, for active metrics that the day's run did not measure."""
    lake = lake or Lake.default()
    if not metrics:
        return {}
    written = set(_written(lake.path, lake.version("metric_values"), day))
    rows = Metric.objects.filter(key__in=list(metrics), retired_at__isnull=True)
    return {
        row.key: _counted(row.key, row.version, day, lake.path, lake.version("events"))
        for row in rows
        if row.key not in written
    }


@lru_cache(maxsize=8)
def _written(path: Path, version: int, day: date) -> tuple[str, ...]:
    return tuple(values_table(day, lake=Lake(path))["metric"].unique().to_pylist())


@lru_cache(maxsize=32)
def _counted(metric: str, version: int, day: date, path: Path, events: int) -> dict[int, float]:
    """`version` and `events` make a new definition, or new events, a new question."""
    definition = Metric.objects.get(key=metric).definition
    known = Customer.objects.present().filter(known_at__lt=start_of(day))
    ids = list(known.order_by("pk").values_list("pk", flat=True)[:SAMPLE])
    found = preview(definition, as_of=day, customer_ids=ids, lake=Lake(path))
    return {pk: value for pk, value in found.items() if value is not None}


def _spread(values: dict[int, float]) -> Spread:
    return _of(np.array(list(values.values())))


def _of(values: "np.ndarray") -> Spread:
    points = tuple(float(p) for p in np.percentile(values, PERCENTILES))
    return Spread(points, float(np.median(values)), len(values))


@lru_cache(maxsize=8)
def _spreads(path: Path, version: int, day: date, metrics: tuple[str, ...]) -> dict[str, Spread]:
    """`version` only makes a new day, or a new run of it, a new question."""
    rows = values_table(day, metric_keys=metrics, lake=Lake(path))
    found = {}
    for metric in metrics:
        mine = rows.filter(pc.equal(rows["metric"], pa.scalar(metric)))["value"].drop_null()
        values = mine.to_numpy()
        if len(values):
            found[metric] = _of(values)
    return found
