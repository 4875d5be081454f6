"""What an unsaved configuration would say about the newest judged day. Nothing is written."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from gengyun.customers.models import Customer
from gengyun.health.calc.config import Config
from gengyun.health.calc.score import Card, Explanation, Previous, score
from gengyun.health.models import HealthScore, Scorecard
from gengyun.health.queries.cards import metric_infos
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


def preview(config: Config, *, scorecard: Scorecard, actor: User | None) -> Preview:
    """Score the customers of this scorecard again, with the inputs of the newest judged day.

    The present band stands in for the band of the day before, so that a configuration without a
    change shows no change.
    """
    newest = HealthScore.objects.order_by("-as_of").values_list("as_of", flat=True).first()
    if newest is None:
        return Preview(None, [], 0)
    found = _judged_by(scorecard, actor, newest)
    total = found.count()
    rows = list(found.select_related("customer").order_by("pk")[:SAMPLE])
    values = values_as_of(newest, config.metrics(), [row.pk for row in rows])
    infos = metric_infos()
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
                    values.get(row.pk, {}),
                    Previous(row.band, _carried(row.explanation)),
                    as_of=newest,
                    card=card,
                    infos=infos,
                ),
            )
            for row in rows
        ],
        total,
    )


def _judged_by(scorecard: Scorecard, actor: User | None, newest: date):
    """Newest scores of the customers whom this scorecard judges, by the order of scorecards."""
    scores = HealthScore.objects.filter(
        as_of=newest, customer__in=Customer.objects.visible_to(actor).present()
    )
    earlier = Scorecard.objects.filter(
        position__lt=scorecard.position, versions__isnull=False
    ).distinct()
    taken = [card.tier_id for card in earlier]
    if scorecard.tier_id is not None:
        scores = scores.filter(customer__tier_id=scorecard.tier_id)
    if None in taken:
        return scores.none()  # a scorecard for any tier stands above: this one judges nobody
    for tier_id in taken:
        scores = scores.exclude(customer__tier_id=tier_id)
    return scores


def _carried(explanation: dict) -> dict[str, tuple[float, date]]:
    return {
        part["key"]: (part["value"], date.fromisoformat(part["value_as_of"]))
        for group in explanation.get("groups", [])
        for part in group["factors"]
        if part.get("value") is not None and part.get("value_as_of")
    }
