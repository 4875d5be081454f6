"""The percentiles of similar customers that hold in a quarter: frozen, or made for a try-out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from gengyun.customers.queries.as_of import field_values
from gengyun.health.calc import commercial, manual, peers
from gengyun.health.calc.config import Config, Factor
from gengyun.health.calc.score import NO_PEERS, PeerPart
from gengyun.health.models import PeerCurve
from gengyun.health.queries.cards import stage_keys
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import judged_days, values_table

YEAR = timedelta(days=365)


@dataclass
class PeerCurves:
    """The frozen curves of one quarter; `of` finds those of a customer."""

    rows: Mapping[tuple[str, str], PeerCurve]
    _made: dict[tuple[int, str], Mapping[str, PeerPart]] = field(default_factory=dict)

    def of(
        self, config: Config, card_id: int, tier_id: int | None, stage_key: str | None
    ) -> Mapping[str, PeerPart]:
        """Factor key -> curve, for the factors of the configuration that ask for peers."""
        if not self.rows:
            return NO_PEERS
        group = peers.group_key("tier_stage", tier_id, stage_key or "")
        if (card_id, group) not in self._made:
            found = {
                factor.key: part
                for factor in config.factors()
                if factor.peers and (part := self._part(factor, tier_id, stage_key or ""))
            }
            self._made[card_id, group] = found
        return self._made[card_id, group]

    def _part(self, factor: Factor, tier_id: int | None, stage_key: str) -> PeerPart | None:
        """The nearest group that is large enough; None: the fixed curve stands."""
        kinds = {"all": ("all",), "tier": ("tier", "all")}.get(
            factor.peers, ("tier_stage", "tier", "all")
        )
        rising = factor.curve[-1][1] >= factor.curve[0][1]
        for kind in kinds:
            row = self.rows.get((factor.metric, peers.group_key(kind, tier_id, stage_key)))
            if row is not None and row.percentiles:
                curve = peers.curve(row.percentiles, is_rising=rising)
                if curve is not None:
                    return PeerPart(row.peers, row.count, curve)
        return None


def peer_metrics(configs: Iterable[Config]) -> set[str]:
    """Metrics that a configuration wants to be judged by peers."""
    wanted = {f.metric for config in configs for f in config.factors() if f.peers}
    return wanted - manual.KEYS - commercial.KEYS


def peer_curves(configs: Iterable[Config], as_of: date, *, lake: Lake) -> PeerCurves:
    """The curves of the quarter of a day. What is not frozen yet is made here and not kept."""
    metrics = peer_metrics(configs)
    if not metrics:
        return PeerCurves({})
    quarter = peers.quarter_of(as_of)
    rows = list(PeerCurve.objects.filter(quarter=quarter, metric__in=metrics))
    lacking = metrics - {row.metric for row in rows}
    rows += made_curves(lacking, quarter, lake) if lacking else []
    return PeerCurves({(row.metric, row.peers): row for row in rows})


def made_curves(metrics: Iterable[str], quarter: date, lake: Lake) -> list[PeerCurve]:
    """Unsaved rows per metric and group, from the year before the quarter."""
    metrics = sorted(metrics)
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    customers: dict[tuple[str, str], set[int]] = defaultdict(set)
    keys = stage_keys()
    for day in _sample(judged_days(lake), quarter):
        fields = field_values(fields=("tier_id", "stage_id"), as_of=day)
        for metric, customer, value in _read(day, metrics, lake):
            tier_id = fields["tier_id"].get(customer)
            stage_key = keys.get(fields["stage_id"].get(customer), "")
            for group in {
                peers.group_key(kind, tier_id, stage_key) for kind in ("all", "tier", "tier_stage")
            }:
                values[metric, group].append(value)
                customers[metric, group].add(customer)
    for metric in metrics:
        values.setdefault((metric, "all"), [])  # a quarter without data is a row too
    return [
        PeerCurve(
            metric=metric,
            peers=group,
            quarter=quarter,
            percentiles=(
                peers.percentiles(found)
                if len(customers[metric, group]) >= peers.LEAST_PEERS
                else None
            ),
            count=len(customers[metric, group]),
        )
        for (metric, group), found in sorted(values.items())
    ]


def _sample(days: Iterable[date], quarter: date) -> list[date]:
    """The last judged day of each month of the year before the quarter."""
    last: dict[tuple[int, int], date] = {}
    for day in sorted(days):
        if quarter - YEAR <= day < quarter:
            last[day.year, day.month] = day
    return list(last.values())


def _read(day: date, metrics: list[str], lake: Lake) -> Iterable[tuple[str, int, float]]:
    rows: Any = values_table(day, metric_keys=metrics, lake=lake)
    columns = (rows[name].to_pylist() for name in ("metric", "customer_id", "value"))
    return [row for row in zip(*columns, strict=True) if row[2] is not None]
