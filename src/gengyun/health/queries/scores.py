"""Scores of the past and of today. Who may see a customer is decided before calling these."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from gengyun.health.calc.diff import Difference, diff
from gengyun.health.calc.score import Previous
from gengyun.health.models import HealthScore, ScorecardVersion
from gengyun.health.queries.cards import CardInForce
from gengyun.health.queries.opinions import overrides_as_of
from gengyun.lake.store import Lake

TABLE = "health_scores"


def judged_days(lake: Lake | None = None) -> list[date]:
    """Every day that has been judged, ascending."""
    days = (lake or Lake.default()).partitions(TABLE)
    return [day if isinstance(day, date) else date.fromisoformat(str(day)) for day in days]


def newest_judged(
    until: date, *, lake: Lake | None = None, within: int | None = None
) -> date | None:
    """The newest judged day on or before `until`, no more than `within` days before it."""
    found = max((day for day in judged_days(lake) if day <= until), default=None)
    if found is not None and within is not None and (until - found).days > within:
        return None
    return found


def read_scores(
    as_of: date, columns: Sequence[str], *, lake: Lake | None = None, customer_id: int | None = None
) -> pa.Table:
    """Rows of one judged day; empty when the day was not judged."""
    where: list[tuple[str, str, Any]] = [("as_of", "=", as_of)]
    if customer_id is not None:
        where.append(("customer_id", "=", customer_id))
    return (lake or Lake.default()).read(TABLE, where=where, columns=list(columns))


def scores_on(as_of: date, *, lake: Lake | None = None) -> dict[int, tuple[float | None, str]]:
    """Customer -> (score, band) on exactly this judged day."""
    found = read_scores(as_of, ["customer_id", "score", "band"], lake=lake)
    columns = (found[name].to_pylist() for name in ("customer_id", "score", "band"))
    return {customer: (score, band) for customer, score, band in zip(*columns, strict=True)}


def explanation_on(
    customer_id: int, as_of: date, *, lake: Lake | None = None
) -> dict[str, Any] | None:
    """The explanation of the newest judged day on or before `as_of`, at most a week earlier.

    Its own `as_of` says which day that was. None: the customer was not judged then.
    """
    row = HealthScore.objects.filter(customer_id=customer_id, as_of=as_of).first()
    if row is not None:
        return dict(row.explanation)
    lake = lake or Lake.default()
    day = newest_judged(as_of, lake=lake, within=6)
    if day is None:
        return None
    found = read_scores(day, ["explanation"], lake=lake, customer_id=customer_id)
    return msgspec.json.decode(found["explanation"][0].as_py()) if found.num_rows else None


def latest(customer_id: int) -> HealthScore | None:
    """Today's score with explanation, weekly history and what a week-ago comparison needs."""
    rows = HealthScore.objects.filter(customer_id=customer_id).select_related("version")
    return next(iter(rows.order_by()[:1]), None)  # one at most


def versions_of(row: HealthScore) -> list[ScorecardVersion]:
    """The versions that the marks of its history name."""
    ids = [pk for _, pk in row.marks]
    return list(ScorecardVersion.objects.filter(pk__in=ids).select_related("scorecard"))


def change_since_week(row: HealthScore) -> Difference | None:
    """What moved the score against a week before; reads nothing but the row."""
    return diff(row.week_ago, row.explanation) if row.week_ago else None


def compare(
    customer_id: int, before: date, after: date, *, lake: Lake | None = None
) -> Difference | None:
    """What moved the score between two days; None when one of them was not judged."""
    old = explanation_on(customer_id, before, lake=lake)
    new = explanation_on(customer_id, after, lake=lake)
    return diff(old, new) if old and new else None


def previous_of(
    as_of: date, lake: Lake, cards: Sequence[CardInForce], customer_id: int | None = None
) -> dict[int, Previous]:
    """Band, and the values that may be carried on, of the last judged earlier day.

    A band that an override gave is left out: the margin holds on to computed bands only.
    """
    day = newest_judged(as_of - timedelta(days=1), lake=lake)
    if day is None:
        return {}
    carries = any(f.missing == "carry_forward" for card in cards for f in card.config.factors())
    columns = ["customer_id", "band", *(["explanation"] if carries else [])]
    rows = read_scores(day, columns, lake=lake, customer_id=customer_id)
    texts = rows["explanation"].to_pylist() if carries else [None] * rows.num_rows
    by_hand = overrides_as_of(day)
    triples = zip(rows["customer_id"].to_pylist(), rows["band"].to_pylist(), texts, strict=True)
    return {
        pk: Previous(
            "" if pk in by_hand else band, carried(msgspec.json.decode(text)) if text else {}
        )
        for pk, band, text in triples
    }


def carried(explanation: Mapping[str, Any]) -> dict[str, tuple[float, date]]:
    """Factor -> value and its day, for the factors that had a value of their own."""
    return {
        part["key"]: (part["value"], date.fromisoformat(part["value_as_of"]))
        for group in explanation.get("groups", [])
        for part in group["factors"]
        if part.get("value") is not None and part.get("value_as_of")
    }


def slots(as_of: date, weeks: int, days: Sequence[date]) -> list[tuple[date, date | None]]:
    """Weekly slots, oldest first: (the slot's day, the judged day that stands for it or None).

    A slot ends at as_of minus whole weeks and reaches back over the week before it; the newest
    judged day inside stands for it.
    """
    found: list[tuple[date, date | None]] = []
    for week in reversed(range(weeks)):
        end = as_of - timedelta(weeks=week)
        start = end - timedelta(days=7)
        found.append((end, max((day for day in days if start < day <= end), default=None)))
    return found


def weekly_line(
    customer_id: int, *, until: date, weeks: int = 26, lake: Lake | None = None
) -> list[tuple[date, float | None]]:
    """The weekly scores up to `until`, oldest first, None where unknown, from the lake."""
    lake = lake or Lake.default()
    line: list[tuple[date, float | None]] = []
    for end, day in slots(until, weeks, judged_days(lake)):
        score = None
        if day is not None:
            found = read_scores(day, ["score"], lake=lake, customer_id=customer_id)
            score = found["score"][0].as_py() if found.num_rows else None
        line.append((day or end, score))
    return line
