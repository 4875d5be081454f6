"""What an unsaved configuration would say about the newest judged day. Nothing is written."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from gengyun.customers.models import Customer
from gengyun.health.calc.config import Config
from gengyun.health.calc.score import Card, Explanation, Previous, score
from gengyun.health.models import HealthScore, Scorecard
from gengyun.health.queries.cards import metric_infos, stage_keys
from gengyun.health.queries.commercial import commercial_inputs
from gengyun.health.queries.opinions import (
    manual_inputs,
    override_part,
    overrides_as_of,
    sentiments_as_of,
)
from gengyun.health.queries.peers import peer_curves
from gengyun.health.queries.scores import carried
from gengyun.health.queries.spread import fresh_values
from gengyun.lake.store import Lake
from gengyun.team.models import User
from gengyun.usage.queries.metrics import values_as_of

SAMPLE = 2_000  # customers; about a quarter of a second of work


@dataclass(frozen=True)
class PreviewRow:
    customer_id: int
    name: str
    old_score: float | None
    old_band: str
    new: Explanation

    @property
    def change(self) -> float | None:
        """None where one of the two has no number."""
        if self.old_score is None or self.new["score"] is None:
            return None
        return self.new["score"] - self.old_score


@dataclass(frozen=True)
class Preview:
    as_of: date | None  # None: no day has been judged yet
    rows: list[PreviewRow]
    total: int  # customers that this scorecard judges and the actor may see

    def bands(self) -> list[tuple[str, int, int]]:
        """[(band, customers now, customers with the new configuration)]"""
        now = Counter(row.old_band for row in self.rows)
        then = Counter(row.new["band"] for row in self.rows)
        return [(band, now[band], then[band]) for band in "ABCDN"]

    def moved(self) -> list[PreviewRow]:
        """Whose band changes, the largest change first."""
        rows = [row for row in self.rows if row.old_band != row.new["band"]]
        return sorted(rows, key=lambda row: (-abs(row.change or 100), row.name))


def preview(
    config: Config, *, scorecard: Scorecard, actor: User | None, now: datetime | None = None
) -> Preview:
    """Score the customers of this scorecard again, with the inputs of the newest judged day.

    The present band stands in for the band of the day before, so that a configuration without a
    change shows no change. `now`: what people said until then counts; None: until the day began.
    """
    newest = HealthScore.objects.order_by("-as_of").values_list("as_of", flat=True).first()
    if newest is None:
        return Preview(None, [], 0)
    found = HealthScore.objects.filter(
        as_of=newest, customer__in=judged_by(scorecard, actor)
    ).order_by("pk")
    total = found.count()
    rows = list(found.select_related("customer")[:SAMPLE])
    values = values_as_of(newest, config.metrics(), [row.pk for row in rows])
    for metric, found_values in fresh_values(config.metrics(), newest).items():
        for pk, value in found_values.items():
            values.setdefault(pk, {})[metric] = value
    paid = commercial_inputs(
        newest, config.metrics(), customer_ids=[row.pk for row in rows], moment=now
    )
    for pk, inputs in paid.items():
        values.setdefault(pk, {}).update(inputs)
    infos = metric_infos()
    said = sentiments_as_of(newest, moment=now)
    overrides = overrides_as_of(newest, moment=now)
    peers = peer_curves([config], newest, lake=Lake.default())
    keys = stage_keys()
    card = Card(0, 0, scorecard.name_zh, scorecard.name_en)
    return Preview(
        newest,
        [
            PreviewRow(
                row.pk,
                row.customer.name,
                row.score,
                row.band,
                score(
                    config,
                    {**values.get(row.pk, {}), **manual_inputs(said, row.pk)},
                    Previous(row.band, carried(row.explanation)),
                    as_of=newest,
                    card=card,
                    infos=infos,
                    peers=peers.of(
                        config, 0, row.customer.tier_id, keys.get(row.customer.stage_id or 0)
                    ),
                    override=override_part(overrides.get(row.pk)),
                ),
            )
            for row in rows
        ],
        total,
    )


def scope(card: Scorecard, *, of: str = "") -> Q:
    """Whom a scorecard is for, as a condition on customers; `of` is the path to the customer."""
    found = Q()
    if card.tier_ids:
        found &= Q(**{f"{of}tier_id__in": card.tier_ids})
    if card.stage_keys:
        found &= Q(**{f"{of}stage__key__in": card.stage_keys})
    return found


def judged_by(scorecard: Scorecard, actor: User | None) -> QuerySet[Customer]:
    """The customers whom this scorecard judges by the present order, as far as the actor sees."""
    found = Customer.objects.visible_to(actor).present()
    if scorecard.retired_at is not None:
        return found.none()
    earlier = Scorecard.objects.filter(
        position__lt=scorecard.position, versions__isnull=False, retired_at__isnull=True
    ).distinct()
    for card in earlier:
        if card.is_for_all:
            return found.none()  # a scorecard for everybody stands above: this one judges nobody
        found = found.exclude(scope(card))
    return found.filter(scope(scorecard))
