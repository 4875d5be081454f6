"""Which scorecard version judges which customer on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from gengyun.health.calc.config import Config, parse_config
from gengyun.health.calc.score import Card, MetricInfo
from gengyun.health.models import Scorecard, ScorecardVersion
from gengyun.usage.models import Metric


@dataclass(frozen=True)
class CardInForce:
    card: Card
    config: Config
    tier_id: int | None  # None: any tier


@lru_cache(maxsize=64)
def _parsed(version_id: int, text: str) -> Config:
    import json

    return parse_config(json.loads(text))


def config_of(version: ScorecardVersion) -> Config:
    """The configuration of a version, parsed once per process."""
    import json

    return _parsed(version.pk, json.dumps(version.config, sort_keys=True))


def version_in_force(scorecard: Scorecard, as_of: date) -> ScorecardVersion | None:
    """The newest version whose day has come; None before the first."""
    versions = [
        version
        for version in scorecard.versions.all()
        if version.effective_from is None or version.effective_from <= as_of
    ]
    return max(versions, key=lambda version: version.number, default=None)


def cards_in_force(as_of: date) -> list[CardInForce]:
    """The scorecards of the day in their order; one without a version in force takes no part."""
    cards = []
    for scorecard in Scorecard.objects.prefetch_related("versions"):
        version = version_in_force(scorecard, as_of)
        if version is not None:
            card = Card(version.pk, version.number, scorecard.name_zh, scorecard.name_en)
            cards.append(CardInForce(card, config_of(version), scorecard.tier_id))
    return cards


def card_for(cards: Iterable[CardInForce], tier_id: int | None) -> CardInForce | None:
    """First match wins; None when no card fits (there is no default card)."""
    for card in cards:
        if card.tier_id is None or card.tier_id == tier_id:
            return card
    return None


def metric_infos() -> dict[str, MetricInfo]:
    rows = Metric.objects.values_list("key", "version", "name_zh", "name_en", "unit")
    return {key: MetricInfo(version, zh, en, unit) for key, version, zh, en, unit in rows}
