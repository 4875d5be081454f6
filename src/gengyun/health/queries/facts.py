"""The health score as a fact for the criteria of a journey: of the newest judged day."""

from collections.abc import Collection, Sequence
from datetime import date

from gengyun.customers.queries.facts import CHUNK, Fact, FactSource, Values, register
from gengyun.health.models import HealthScore

SCORE = "health:score"


def _listed() -> Sequence[Fact]:
    return [Fact(SCORE, "健康分", "Health score", group="health")]


def _values(keys: Collection[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    if SCORE not in keys:
        return {}
    rows = HealthScore.objects.filter(score__isnull=False, as_of__lte=as_of).order_by()
    rows = rows.values_list("customer_id", "score")
    if customer_ids is None:
        return {SCORE: {pk: round(score, 1) for pk, score in rows}}
    found: dict[int, float] = {}
    ids = sorted(customer_ids)
    for start in range(0, len(ids), CHUNK):
        part = rows.filter(customer_id__in=ids[start : start + CHUNK])
        found.update((pk, round(score, 1)) for pk, score in part)
    return {SCORE: found}


register(FactSource("health", _listed, _values))
