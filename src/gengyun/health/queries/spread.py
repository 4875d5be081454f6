"""How the values of a metric lie among the customers, for choosing thresholds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gengyun.health.calc.peers import PERCENTILES
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import judged_days, values_table


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
    return _spreads(lake.path, lake.version("metric_values"), days[-1], key)


@lru_cache(maxsize=8)
def _spreads(path: Path, version: int, day: date, metrics: tuple[str, ...]) -> dict[str, Spread]:
    """`version` only makes a new day, or a new run of it, a new question."""
    rows = values_table(day, metric_keys=metrics, lake=Lake(path))
    found = {}
    for metric in metrics:
        mine = rows.filter(pc.equal(rows["metric"], pa.scalar(metric)))["value"].drop_null()
        values = mine.to_numpy()
        if len(values):
            points = tuple(float(p) for p in np.percentile(values, PERCENTILES))
            found[metric] = Spread(points, float(np.median(values)), len(values))
    return found
