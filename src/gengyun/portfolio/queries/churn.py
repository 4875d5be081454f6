"""The churn probability of a customer: that of what comes due next.

A model speaks of renewals. A customer is as likely to be lost as the renewals of its next due day
are, weighed by their amounts; later ones are another question with another day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gengyun.churn.models import ChurnForecast
from gengyun.churn.queries.history import NO_RENEWAL, Key, newest_day, probabilities_on
from gengyun.portfolio.calc.needs import CHURN_LIKELY, ChurnFact

STEP = 500
MONTH = 30  # days that a change looks back
COLUMNS = (
    "amount_minor", "model__rung", "due_on", "as_of", "probability", "low", "high", "grade",
    "refused",
)  # fmt: skip
ESTIMATE = "L0"  # the rung that has learned from no outcome (science.md 4.3)


@dataclass(frozen=True)
class Said:
    """One forecast, as far as the customer's figure needs it."""

    due_on: date | None
    as_of: date
    probability: float | None
    low: float | None
    high: float | None
    grade: str
    refused: str
    amount_minor: int
    is_estimate: bool
    renewal_id: int | None = None


@dataclass(frozen=True)
class Churn:
    """`probability` None: not said, and `refused` is the reason."""

    probability: float | None
    low: float | None
    high: float | None
    on: date | None
    as_of: date
    grade: str
    refused: str
    is_estimate: bool


def churn_of(customer_ids: Sequence[int]) -> dict[int, Churn]:
    """Customers without a forecast are left out."""
    return {pk: together(said) for pk, said in said_of(customer_ids).items()}


def chances_of(said: Iterable[Said]) -> dict[int, tuple[float, float | None, float | None]]:
    """Renewal -> (probability, low, high) of models that have learned: what amounts are weighed
    by. An estimate from experience is left to the rates, which have seen the outcomes."""
    return {
        one.renewal_id: (one.probability, one.low, one.high)
        for one in said
        if one.renewal_id is not None and one.probability is not None and not one.is_estimate
    }


def said_of(customer_ids: Sequence[int]) -> dict[int, list[Said]]:
    """Customer -> every forecast of today's."""
    found: dict[int, list[Said]] = defaultdict(list)
    for start in range(0, len(customer_ids), STEP):
        rows = ChurnForecast.objects.filter(customer_id__in=customer_ids[start : start + STEP])
        for pk, renewal_id, amount, rung, *rest in rows.order_by().values_list(
            "customer_id", "renewal_id", *COLUMNS
        ):
            found[pk].append(_said(rest, amount, rung, renewal_id))
    return dict(found)


def _said(rest: Sequence[Any], amount: int | None, rung: str | None, pk: int | None) -> Said:
    due_on, as_of, probability, low, high, grade, refused = rest
    return Said(
        due_on, as_of, probability, low, high, grade, refused, amount or 0, rung == ESTIMATE, pk
    )


def of_renewals(renewal_ids: Sequence[int]) -> dict[int, Said]:
    """Renewal -> what is said of it; those of whom nothing is said at all are left out."""
    rows = ChurnForecast.objects.filter(renewal_id__in=renewal_ids).order_by()
    return {
        pk: _said(rest, amount, rung, pk)
        for pk, amount, rung, *rest in rows.values_list("renewal_id", *COLUMNS)
    }


def together(said: Sequence[Said]) -> Churn:
    """Of the next due day; of days that are past, the last one. Amount-weighted."""
    newest = max(one.as_of for one in said)
    rows = [one for one in said if one.as_of == newest]
    ahead = [one.due_on for one in rows if one.due_on is not None and one.due_on >= newest]
    past = [one.due_on for one in rows if one.due_on is not None]
    on = min(ahead) if ahead else max(past, default=None)
    due = [one for one in rows if one.due_on == on]
    known = [one for one in due if one.probability is not None]
    if not known:
        return Churn(None, None, None, on, newest, "", due[0].refused, is_estimate=False)
    return Churn(
        probability=_weighed((one.probability, one.amount_minor) for one in known),
        low=_weighed((one.low, one.amount_minor) for one in known),
        high=_weighed((one.high, one.amount_minor) for one in known),
        on=on,
        as_of=newest,
        grade=max(one.grade for one in known),  # the least sure of them
        refused="",
        is_estimate=any(one.is_estimate for one in known),
    )


def month_before(as_of: date) -> dict[Key, float]:
    """(customer, renewal) -> what was said some 30 days before, from the lake: read once a night
    for everybody. Empty where nothing was kept."""
    day = newest_day(as_of - timedelta(days=MONTH), within=6)
    return probabilities_on(day) if day is not None else {}


def change_since(customer_id: int, said: Sequence[Said], then: Mapping[Key, float]) -> float | None:
    """Points of probability by which the customer's figure moved, of the renewals it is about;
    None where one of them was not judged then."""
    now = together(said)
    mine = [one for one in said if one.due_on == now.on and one.probability is not None]
    before = [then.get((customer_id, one.renewal_id or NO_RENEWAL)) for one in mine]
    if now.probability is None or None in before:
        return None
    was = _weighed(zip(before, (one.amount_minor for one in mine), strict=True))
    return None if was is None else round(100 * (now.probability - was), 2)


def likely_facts(churn: Mapping[int, Churn]) -> dict[int, ChurnFact]:
    """Of those who are more likely lost than kept: since when, and the strongest reason.

    Their texts are read for these few only.
    """
    wanted = {
        pk: one
        for pk, one in churn.items()
        if one.probability is not None
        and one.probability >= CHURN_LIKELY
        and not one.is_estimate
        and one.on is not None
    }
    rows = ChurnForecast.objects.filter(customer_id__in=list(wanted), probability__isnull=False)
    largest: dict[int, tuple[int, list[Any], list[Any]]] = {}
    for pk, due_on, amount, drivers, history in rows.order_by("pk").values_list(
        "customer_id", "due_on", "amount_minor", "drivers", "history"
    ):
        if due_on == wanted[pk].on and (amount or 0) >= largest.get(pk, (-1,))[0]:
            largest[pk] = (amount or 0, drivers, history)
    return {
        pk: ChurnFact(
            probability=one.probability or 0.0,
            low=one.low,
            high=one.high,
            on=one.on or one.as_of,
            since=_since(one.as_of, largest[pk][2]),
            driver=next((d for d in largest[pk][1] if d["points"] > 0), None),
        )
        for pk, one in wanted.items()
        if pk in largest
    }


def _since(as_of: date, history: Sequence[Sequence[Any]]) -> date:
    """The first of the latest weeks that were all as likely."""
    since = as_of
    for day, probability, *_ in reversed(history):
        if probability is None or probability < CHURN_LIKELY:
            break
        since = min(since, date.fromisoformat(day))
    return since


def _weighed(values: Iterable[tuple[float | None, int]]) -> float | None:
    rows = [(value, amount) for value, amount in values if value is not None]
    if not rows:
        return None
    total = sum(amount for _, amount in rows)
    if total <= 0:
        return sum(value for value, _ in rows) / len(rows)
    return sum(value * amount for value, amount in rows) / total
