"""Metric definitions, and the values that a day's run wrote."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from gengyun.customers.queries.merges import joined
from gengyun.usage.calc.definition import Definition, Part, parse_definition, parts_of
from gengyun.usage.calc.plan import plan_for
from gengyun.usage.calc.sentence import describe
from gengyun.usage.models import Metric

if TYPE_CHECKING:
    import pyarrow as pa

    from gengyun.lake.store import Condition, Lake


def active_metrics() -> list[Metric]:
    return list(Metric.objects.filter(retired_at__isnull=True).order_by("position", "key"))


def parsed(metrics: Collection[Metric]) -> dict[str, Definition]:
    return {metric.key: parse_definition(metric.definition) for metric in metrics}


def definitions() -> dict[str, Metric]:
    """Every metric by key, retired ones included: old values still need their names."""
    return {metric.key: metric for metric in Metric.objects.all()}


def known_parts() -> dict[str, Part]:
    """The active metrics that others may be made of."""
    return parts_of(parsed(active_metrics()))


def sentence(metric: Metric, lang: str, names: Mapping[str, str] | None = None) -> str:
    """What the metric counts, as one sentence. Pass `names` when there are many to do."""
    return describe(parse_definition(metric.definition), lang, names or metric_names(lang))


def metric_names(lang: str) -> dict[str, str]:
    field = "name_zh" if lang.startswith("zh") else "name_en"
    return dict(Metric.objects.values_list("key", field))


def values_table(
    as_of: date,
    *,
    metric_keys: Collection[str] | None = None,
    customer_ids: Collection[int] | None = None,
    lake: "Lake | None" = None,
) -> "pa.Table":
    """customer_id, metric, version, value of the run for `as_of`; empty if there was none."""
    where: list[Condition] = [("as_of", "=", as_of)]
    if customer_ids is not None:
        where.append(("customer_id", "in", list(customer_ids)))
    if metric_keys is not None:
        where.append(("metric", "in", list(metric_keys)))
    return _lake(lake).read(
        "metric_values", where=where, columns=["customer_id", "metric", "version", "value"]
    )


def values_as_of(
    as_of: date,
    metric_keys: Collection[str] | None = None,
    customer_ids: Collection[int] | None = None,
    lake: "Lake | None" = None,
) -> dict[int, dict[str, float | None]]:
    """customer -> metric key -> value (None: unknown), as the run for `as_of` wrote them."""
    rows = values_table(as_of, metric_keys=metric_keys, customer_ids=customer_ids, lake=lake)
    found: dict[int, dict[str, float | None]] = {}
    customers, metrics, values = (
        rows[name].to_pylist() for name in ("customer_id", "metric", "value")
    )
    for customer, metric, value in zip(customers, metrics, values, strict=True):
        mine = found.get(customer)
        if mine is None:
            mine = found[customer] = {}
        mine[metric] = value
    return found


def live_values(
    customer_ids: Collection[int],
    *,
    as_of: date,
    until: date,
    metric_keys: Collection[str] | None = None,
    lake: "Lake | None" = None,
) -> dict[int, dict[str, float | None]]:
    """The judged day's own windows with what came since, up to the day before `until`, on top.

    A window that ended now instead would hold half of today and lose a whole day: every customer
    would look worse each morning. Not written anywhere; tomorrow's run counts today in full.
    """
    from gengyun.lake.engine import Engine
    from gengyun.usage.queries.running import customer_rows, run_plan

    metrics = active_metrics()
    wanted = parsed(metrics)
    if metric_keys is not None:
        chosen = {key: item for key, item in wanted.items() if key in metric_keys}
    else:
        chosen = wanted
    ahead = max(0, (until - as_of).days)
    plan = plan_for(chosen, as_of=as_of, parts=parts_of(wanted), ahead=ahead)
    ids = sorted(set(customer_ids))
    with Engine() as engine:
        customers = customer_rows(ids, plan)
        wide = run_plan(engine, _lake(lake), plan, customers, are_few=True).to_pydict()
    return {
        pk: {key: wide[key][place] for key in chosen}
        for place, pk in enumerate(wide["customer_id"])
    }


def judged_days(lake: "Lake | None" = None) -> list[date]:
    """The days for which values were written, ascending."""
    return _lake(lake).partitions("metric_values")


def preview(
    raw: object,
    *,
    as_of: date,
    customer_ids: Collection[int],
    lake: "Lake | None" = None,
) -> dict[int, float | None]:
    """What an unsaved definition would say for a few customers; DefinitionInvalid if it is none.

    Measures that are not rolled up yet are counted from the events of these customers alone.
    """
    from gengyun.lake.engine import Engine
    from gengyun.lake.rolling import TABLE_OF, Measured, roll_many
    from gengyun.usage.queries.running import customer_rows, run_plan

    lake = _lake(lake)
    parts = known_parts()
    plan = plan_for({"preview": parse_definition(raw, parts)}, as_of=as_of, parts=parts)
    ids = sorted(set(customer_ids))
    with Engine() as engine:
        stale = [
            need
            for need in plan.measures()
            if lake.app_version(TABLE_OF[need.kind], f"measure:{need.key}")
            != lake.version("events")
        ]
        # what became part of these customers is theirs
        asked = sorted({*ids, *(pair.gone for pair in joined([as_of]) if pair.kept in ids)})
        ranges: list[Condition] = [("customer_id", "in", asked), ("known_day", "<", as_of)]
        files = lake.files("events", where=ranges) if stale else []
        items = [
            Measured(need.key, need.kind, need.events, need.summed, need.feature) for need in stale
        ]
        instead = {
            item.key: rows for item, rows in roll_many(engine.db, files, items, customer_ids=asked)
        }
        wide = run_plan(engine, lake, plan, customer_rows(ids, plan), instead=instead)
    return dict(zip(wide["customer_id"].to_pylist(), wide["preview"].to_pylist(), strict=True))


def _lake(lake: "Lake | None") -> "Lake":
    from gengyun.lake.store import Lake

    return lake or Lake.default()
