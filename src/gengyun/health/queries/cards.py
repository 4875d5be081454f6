"""Which scorecard version judges which customer on a day."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from gengyun.customers.models import Stage
from gengyun.health.calc import commercial, manual
from gengyun.health.calc.config import Config, parse_config
from gengyun.health.calc.score import Card, MetricInfo
from gengyun.health.models import Scorecard, ScorecardOrder, ScorecardVersion
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import values_table


@dataclass(frozen=True)
class CardInForce:
    card: Card
    config: Config
    scorecard_id: int
    tiers: frozenset[int] = frozenset()  # empty: any tier
    stages: frozenset[str] = frozenset()  # Stage.key; empty: any stage

    @property
    def is_for_all(self) -> bool:
        return not self.tiers and not self.stages

    def fits(self, tier_id: int | None, stage_key: str | None) -> bool:
        """An unknown tier or stage fits only a card for any."""
        return (not self.tiers or tier_id in self.tiers) and (
            not self.stages or stage_key in self.stages
        )


@lru_cache(maxsize=64)
def _parsed(version_id: int, text: str) -> Config:
    return parse_config(json.loads(text))


def config_of(version: ScorecardVersion) -> Config:
    """The configuration of a version, parsed once per process."""
    return _parsed(version.pk, json.dumps(version.config, sort_keys=True))


def version_in_force(scorecard: Scorecard, as_of: date) -> ScorecardVersion | None:
    """The newest version whose day has come; None before the first."""
    versions = [
        version
        for version in scorecard.versions.all()
        if version.effective_from is None or version.effective_from <= as_of
    ]
    return max(versions, key=lambda version: version.number, default=None)


def order_in_force(as_of: date) -> list[dict]:
    """Entries of the newest order whose day has come."""
    orders = [
        order
        for order in ScorecardOrder.objects.all()
        if order.effective_from is None or order.effective_from <= as_of
    ]
    return list(orders[-1].entries) if orders else []


def cards_in_force(as_of: date) -> list[CardInForce]:
    """The scorecards of the day in their order; one without a version in force takes no part."""
    rows = {card.pk: card for card in Scorecard.objects.prefetch_related("versions")}
    cards = []
    for entry in order_in_force(as_of):
        scorecard = rows.get(entry["card"])
        version = version_in_force(scorecard, as_of) if scorecard else None
        if scorecard is not None and version is not None:
            card = Card(version.pk, version.number, scorecard.name_zh, scorecard.name_en)
            cards.append(
                CardInForce(
                    card,
                    config_of(version),
                    scorecard.pk,
                    frozenset(entry["tiers"]),
                    frozenset(entry["stages"]),
                )
            )
    return cards


def card_for(
    cards: Iterable[CardInForce], tier_id: int | None, stage_key: str | None
) -> CardInForce | None:
    """First match wins; None when no card fits (there is no default card)."""
    return next((card for card in cards if card.fits(tier_id, stage_key)), None)


def stage_keys() -> Mapping[int, str]:
    """Stage.pk -> Stage.key: the same stage of several touch models has one key."""
    return dict(Stage.objects.values_list("pk", "key"))


def metric_infos() -> dict[str, MetricInfo]:
    rows = Metric.objects.values_list("key", "version", "name_zh", "name_en", "unit")
    found = {key: MetricInfo(version, zh, en, unit) for key, version, zh, en, unit in rows}
    for key, (zh, en) in manual.NAMES.items():
        found[key] = MetricInfo(1, zh, en, "level")
    for key, (zh, en, unit) in commercial.INPUTS.items():
        found[key] = MetricInfo(1, zh, en, unit)
    return found


def known_inputs() -> dict[str, str]:
    """What a factor may read: active metrics, what people say, contracts; key -> unit."""
    units = Metric.objects.filter(retired_at__isnull=True).values_list("key", "unit")
    others = {key: unit for key, (_zh, _en, unit) in commercial.INPUTS.items()}
    return dict(units) | dict.fromkeys(manual.NAMES, "level") | others


def lacks_values(as_of: date) -> bool:
    """Whether a scorecard in force reads a metric that the day's run did not measure."""
    needed = {key for card in cards_in_force(as_of) for key in card.config.metrics()}
    active = set(Metric.objects.filter(retired_at__isnull=True).values_list("key", flat=True))
    written = set(values_table(as_of)["metric"].unique().to_pylist())
    return bool((needed & active) - written)
