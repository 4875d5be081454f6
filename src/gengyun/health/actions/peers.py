"""Freezing the percentiles of similar customers for a quarter; made once, never changed."""

from collections.abc import Iterable
from datetime import date, datetime

from gengyun.health.calc import peers
from gengyun.health.calc.config import Config
from gengyun.health.models import PeerCurve
from gengyun.health.queries.peers import PeerCurves, made_curves, peer_curves, peer_metrics
from gengyun.lake.store import Lake


def frozen_curves(
    configs: Iterable[Config], as_of: date, *, lake: Lake, now: datetime
) -> PeerCurves:
    """The curves of the quarter of a day; those that are not there yet are made and kept."""
    configs = list(configs)
    metrics = peer_metrics(configs)
    quarter = peers.quarter_of(as_of)
    frozen = PeerCurve.objects.filter(quarter=quarter, metric__in=metrics)
    lacking = metrics - set(frozen.values_list("metric", flat=True))
    if lacking:
        rows = made_curves(lacking, quarter, lake)
        for row in rows:
            row.made_at = now
        # another process may have been first: its rows are the same
        PeerCurve.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return peer_curves(configs, as_of, lake=lake)
