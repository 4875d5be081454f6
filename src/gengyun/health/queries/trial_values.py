"""Values of metrics on past days for a try-out: what the runs wrote, measured where they did not.

A metric that was made, or changed, after a day has no value of that day in the lake; it is counted
here from the roll-ups, as known then, and not kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of
from gengyun.lake.engine import Engine
from gengyun.lake.store import Lake
from gengyun.usage.calc.plan import plan_for
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import active_metrics, parsed, values_table
from gengyun.usage.queries.running import customer_rows, run_plan

DAYS_TOGETHER = 16
Values = dict[int, dict[str, float | None]]


@dataclass
class PastValues:
    """`on(day)` for the days that were announced, oldest first."""

    days: Sequence[date]
    metrics: Collection[str]
    customer_ids: Collection[int] | None  # None: all
    lake: Lake
    _measured: dict[date, Values] = field(default_factory=dict)

    def on(self, day: date) -> Values:
        found, lacking = self._stored(day)
        if lacking:
            if day not in self._measured:
                self._measure(day)
            for pk, values in self._measured.pop(day, {}).items():
                mine = found.setdefault(pk, {})
                mine.update({key: values[key] for key in lacking if key in values})
        return found

    def _stored(self, day: date) -> tuple[Values, set[str]]:
        rows = values_table(day, metric_keys=self.metrics, lake=self.lake)
        if self.customer_ids is not None:
            wanted = pa.array(self.customer_ids, pa.int64())
            rows = rows.filter(pc.is_in(rows["customer_id"], value_set=wanted))
        versions = _versions(self.metrics)
        found: Values = {}
        written: set[str] = set()
        columns = (rows[name].to_pylist() for name in ("customer_id", "metric", "version", "value"))
        for pk, metric, version, value in zip(*columns, strict=True):
            if version == versions.get(metric):
                found.setdefault(pk, {})[metric] = value
                written.add(metric)
        return found, set(versions) - written

    def _measure(self, first: date) -> None:
        """This day and the next ones together: they cost little more than one."""
        place = list(self.days).index(first)
        days = list(self.days)[place : place + DAYS_TOGETHER]
        known_at = Customer.objects.filter(known_at__lt=start_of(days[-1]))
        if self.customer_ids is not None:
            known_at = known_at.filter(pk__in=list(self.customer_ids))
        ids = dict(known_at.order_by("pk").values_list("pk", "known_at"))
        plan = plan_for(parsed(active_metrics()), as_of=days)
        with Engine() as engine:
            wide = run_plan(engine, self.lake, plan, customer_rows(list(ids), plan, known_at=ids))
        for row in wide.select(
            ["as_of", "customer_id", *(m for m in self.metrics if m in wide.column_names)]
        ).to_pylist():
            day, pk = row.pop("as_of"), row.pop("customer_id")
            self._measured.setdefault(day, {})[pk] = row


def _versions(metrics: Collection[str]) -> Mapping[str, int]:
    rows = Metric.objects.filter(key__in=list(metrics), retired_at__isnull=True)
    return dict(rows.values_list("key", "version"))
