"""What an unpublished configuration would say of today's customers, beside what is said now."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.customers.queries.as_of import field_values
from gengyun.health.calc.config import parse_config
from gengyun.health.calc.score import Card, score
from gengyun.health.models import Scorecard
from gengyun.health.queries.cards import card_for, cards_in_force, metric_infos
from gengyun.health.queries.scores import newest_judged, scores_on
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import values_as_of

EXAMPLES = 10


@dataclass
class Preview:
    """Bands count customers; `histogram` counts scores in ten steps of ten points."""

    as_of: date | None  # None: no day has been judged yet
    customers: int = 0
    bands: dict[str, int] = field(default_factory=lambda: dict.fromkeys("ABCDN", 0))
    bands_now: dict[str, int] = field(default_factory=lambda: dict.fromkeys("ABCDN", 0))
    histogram: list[int] = field(default_factory=lambda: [0] * 10)
    moved: int = 0  # customers whose band would change
    # (customer id, band now, band then, score now, score then), biggest change first
    examples: list[tuple[int, str, str, float | None, float | None]] = field(default_factory=list)


def preview_config(
    config: Any,
    *,
    scorecard: Scorecard | None,
    until: date,
    customer_ids: Iterable[int] | None = None,
    lake: Lake | None = None,
) -> Preview:
    """Judge the customers of this scorecard (all when None) by `config`, on the newest judged day.

    Raises `ConfigInvalid`. Bands are plain: without the margin of the last band.
    """
    parsed = parse_config(config)
    lake = lake or Lake.default()
    day = newest_judged(until, lake=lake)
    found = Preview(as_of=day)
    if day is None:
        return found
    wanted = None if customer_ids is None else frozenset(customer_ids)
    now, infos, cards = scores_on(day, lake=lake), metric_infos(), cards_in_force(day)
    tiers = field_values(fields=("tier_id",), as_of=day)["tier_id"]
    own = frozenset(scorecard.versions.values_list("pk", flat=True)) if scorecard else None
    changes = []
    for pk, values in values_as_of(day, lake=lake).items():
        if pk not in now or (wanted is not None and pk not in wanted):
            continue
        if own is not None and own:
            judge = card_for(cards, tiers.get(pk))
            if judge is None or judge.card.version_id not in own:
                continue
        then = score(parsed, values, None, as_of=day, card=Card(0, 0, "", ""), infos=infos)
        _count(found, now[pk], then["score"], then["band"])
        if then["band"] != now[pk][1]:
            changes.append((pk, now[pk][1], then["band"], now[pk][0], then["score"]))
    found.moved = len(changes)
    found.examples = sorted(changes, key=_size, reverse=True)[:EXAMPLES]
    return found


def _count(
    found: Preview, now: tuple[float | None, str], score_then: float | None, band_then: str
) -> None:
    found.customers += 1
    found.bands_now[now[1]] += 1
    found.bands[band_then] += 1
    if score_then is not None:
        found.histogram[min(9, int(score_then // 10))] += 1


def _size(change: tuple[int, str, str, float | None, float | None]) -> float:
    return abs((change[4] or 0.0) - (change[3] or 0.0))
