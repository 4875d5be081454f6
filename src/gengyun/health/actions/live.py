"""The newest scores with what came since the day began: what the pages show at once.

What customers did today so far and what people said since. The judged day in the lake keeps to
what was known before it; tomorrow's judgement knows today's too. Nothing here writes history.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.customers.queries.as_of import field_values
from gengyun.health.actions.peers import frozen_curves
from gengyun.health.calc.score import Card, missing_of, score
from gengyun.health.calc.trend import trend
from gengyun.health.models import HealthScore
from gengyun.health.queries.cards import CardInForce, config_of, metric_infos, stage_keys
from gengyun.health.queries.commercial import commercial_inputs
from gengyun.health.queries.opinions import (
    manual_inputs,
    override_part,
    overrides_as_of,
    sentiments_as_of,
)
from gengyun.health.queries.peers import PeerCurves
from gengyun.health.queries.scores import previous_of
from gengyun.kernel.days import day_of
from gengyun.kernel.outbox import emit
from gengyun.kernel.rows import update
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import live_values, values_as_of
from gengyun.usage.queries.touched import touched_since

FIELDS = [
    "score",
    "raw_score",
    "band",
    "coverage",
    "trend",
    "explanation",
    "history",
    "missing",
    "is_overridden",
    "computed_at",
]


def refresh_live(
    customer_ids: Collection[int],
    *,
    now: datetime,
    lake: Lake | None = None,
    tell: bool = True,
) -> int:
    """Score these customers' newest rows again with what is known now; returns how many.

    `tell=False`: the caller brings everything that hangs on the scores up to date itself.
    """
    rows = list(
        HealthScore.objects.filter(pk__in=list(customer_ids))
        .select_related("version__scorecard")
        .order_by("pk")
    )
    if not rows:
        return 0
    lake = lake or Lake.default()
    as_of, ids = rows[0].as_of, [row.pk for row in rows]
    inputs = _inputs(ids, as_of, lake, now)
    sentiments = sentiments_as_of(as_of, customer_ids=ids, moment=now)
    overrides = overrides_as_of(as_of, customer_ids=ids, moment=now)
    world = _World(rows, as_of, lake, now)
    metrics = {key for card in world.cards.values() for key in card.config.metrics()}
    paid = commercial_inputs(as_of, metrics, customer_ids=ids, moment=now)
    for row in rows:
        values = {
            **inputs.get(row.pk, {}),
            **paid.get(row.pk, {}),
            **manual_inputs(sentiments, row.pk),
        }
        world.judge(row, values, override_part(overrides.get(row.pk)))
    with transaction.atomic():
        update(HealthScore, rows, FIELDS)
        if tell:
            emit("customer.changed", {"customer_ids": ids}, now=now)
    return len(rows)


def _inputs(
    ids: Collection[int], as_of: date, lake: Lake, now: datetime
) -> dict[int, dict[str, float | None]]:
    """Values of the judged day; with today's use on top as long as it is today that was judged."""
    values = values_as_of(as_of, customer_ids=ids, lake=lake)
    if as_of == day_of(now) and (active := set(touched_since(lake, as_of)).intersection(ids)):
        values |= live_values(active, as_of=as_of, until=as_of + timedelta(days=1), lake=lake)
    return values


class _World:
    """What the judgement of single customers needs beside their inputs."""

    def __init__(
        self, rows: Collection[HealthScore], as_of: date, lake: Lake, now: datetime
    ) -> None:
        self.as_of, self.now = as_of, now
        ids = [row.pk for row in rows]
        fields = field_values(fields=("tier_id", "stage_id"), as_of=as_of, customer_ids=ids)
        keys = stage_keys()
        self.tiers = fields["tier_id"]
        self.stages = {pk: keys.get(stage) for pk, stage in fields["stage_id"].items()}
        self.infos = metric_infos()
        versions = {row.version_id: row.version for row in rows}
        self.cards = {
            pk: CardInForce(
                Card(pk, v.number, v.scorecard.name_zh, v.scorecard.name_en),
                config_of(v),
                v.scorecard_id,
            )
            for pk, v in versions.items()
        }
        self.peers: PeerCurves = frozen_curves(
            [card.config for card in self.cards.values()], as_of, lake=lake, now=now
        )
        one = ids[0] if len(ids) == 1 else None
        self.previous = previous_of(as_of, lake, list(self.cards.values()), customer_id=one)

    def judge(self, row: HealthScore, values: dict[str, float | None], override: Any) -> None:
        card = self.cards[row.version_id]
        found = score(
            card.config,
            values,
            self.previous.get(row.pk),
            as_of=self.as_of,
            card=card.card,
            infos=self.infos,
            peers=self.peers.of(
                card.config, row.version_id, self.tiers.get(row.pk), self.stages.get(row.pk)
            ),
            override=override,
        )
        row.score, row.raw_score, row.band = found["score"], found["raw_score"], found["band"]
        row.coverage, row.explanation = found["coverage"], found
        row.history = [*row.history[:-1], [self.as_of.isoformat(), found["score"]]]
        line = [(date.fromisoformat(day), number) for day, number in row.history[-9:]]
        row.trend = trend(line, self.as_of)
        row.missing, row.is_overridden = missing_of(found), override is not None
        row.computed_at = self.now
