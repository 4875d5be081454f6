"""Metrics as facts that the criteria of a journey may ask about: "metric:seat_use_30d"."""

from collections.abc import Collection, Sequence
from datetime import date

from gengyun.customers.queries.facts import Fact, FactSource, Values, register
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import judged_days, values_table

PREFIX = "metric"
KINDS = {"ratio": "share", "days": "days", "amount": "money"}


def _listed() -> Sequence[Fact]:
    rows = Metric.objects.filter(retired_at__isnull=True).order_by("position", "key")
    return [
        Fact(f"{PREFIX}:{key}", zh, en, KINDS.get(unit, "number"), "metric")
        for key, zh, en, unit in rows.values_list("key", "name_zh", "name_en", "unit")
    ]


def _values(keys: Collection[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    """Of the newest judged day up to `as_of`; a value that is unknown is left out."""
    found: Values = {key: {} for key in keys}
    day = max((day for day in judged_days() if day <= as_of), default=None)
    if day is None:
        return found
    names = [key.removeprefix(f"{PREFIX}:") for key in keys]
    rows = values_table(day, metric_keys=names, customer_ids=customer_ids)
    columns = (rows[name].to_pylist() for name in ("customer_id", "metric", "value"))
    for customer_id, name, value in zip(*columns, strict=True):
        if value is not None:
            found[f"{PREFIX}:{name}"][customer_id] = value
    return found


register(FactSource(PREFIX, _listed, _values))
