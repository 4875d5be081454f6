"""What needs a person, from the facts of one customer. Pure; every need carries its facts.

Usage facts are judged against the newest judged day (`as_of`), dates of people against today.
Severity: 1 urgent, 2 today, 3 this week, 4 when there is time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypedDict

DROP_POINTS = 8.0  # health lost in a week that a person should know of
DEEP_DROP_POINTS = 15.0
SILENT_DAYS = {"high": 14, "low": 14, "tech": 30}
LONG_SILENT_DAYS = 30
CONTACT_DAYS = {"high": 14, "low": 30, "tech": 60}
RENEWAL_DAYS = 90
RENEWAL_SOON_DAYS = 30
OVERDUE_DAYS, OVERDUE_SOON_DAYS, OVERDUE_LONG_DAYS = 7, 30, 60  # of an unpaid invoice
CHURN_LIKELY = 0.5  # from here a renewal is more likely lost than kept
NEW_CUSTOMER_DAYS = 30  # data may still be on its way
GROUPS = {
    "alert": "alert",
    "health_drop": "alert",
    "band_d": "alert",
    "silent": "alert",
    "no_contact": "alert",
    "data_missing": "alert",
    "next_step_overdue": "task",
    "next_step_today": "task",
    "renewal_near": "renewal",
    "renewal_unjudged": "renewal",
    "renewal_late": "renewal",
    "churn_likely": "renewal",
    "payment_overdue": "payment",
    "sentiment_due": "task",
}


class Need(TypedDict):
    code: str
    severity: int
    since: str  # ISO day; identifies the occurrence
    facts: dict[str, Any]


# rule of an open or snoozed alert -> needs that say the same: the work item speaks for them
COVERED = {
    "dormant": {"silent"},
    "band_change": {"band_d", "health_drop"},
    "score_drop": {"health_drop"},
    "renewal_window": {"renewal_near", "renewal_unjudged", "renewal_late"},
    "payment_overdue": {"payment_overdue"},
    "churn_jump": {"churn_likely"},
}


@dataclass(frozen=True)
class AlertFact:
    """A ticket of the customer, as `alerts.queries.open_alerts` tells it."""

    severity: int
    since: date
    is_snoozed: bool
    facts: Mapping[str, Any]
    covers: frozenset[str]  # kinds of rules


@dataclass(frozen=True)
class RenewalFact:
    """A renewal without an outcome; amounts in the currency's minor unit."""

    due_on: date
    due_minor: int
    currency: str
    is_judged: bool  # somebody put it into a category of the forecast
    product_zh: str = ""
    product_en: str = ""


@dataclass(frozen=True)
class OverdueFact:
    """Invoices that are not paid in time."""

    days: int  # of the oldest
    due_on: date
    number: str
    count: int
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class ChurnFact:
    """The churn probability of what comes due next; `driver` is its strongest reason for leaving,
    {"reason", "fact"} as the forecast keeps it."""

    probability: float
    low: float | None
    high: float | None
    on: date
    since: date  # first day of the unbroken weeks in which it was as likely
    driver: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CustomerFacts:
    """What is known of one customer today."""

    today: date
    touch_model: str  # tech, low, high; "" unknown: treated as low
    known_on: date  # since when we have had the customer
    as_of: date | None  # newest judged day
    score: float | None
    band: str  # A B C D, N: not enough data, "": never judged
    change_week: float | None
    movers: Sequence[Mapping[str, Any]]
    coverage: float | None
    below_since: date | None  # since when the score has been in the lowest band
    last_event_on: date | None
    last_touch_on: date | None
    last_touch_kind: str
    renews_on: date | None
    next_step: str
    next_step_on: date | None
    weakest: Sequence[Mapping[str, Any]] = ()  # the factors that cost the most points
    alerts: Sequence[AlertFact] = ()  # the most urgent first
    # the last sentiment, where it has run out: level and its last day
    sentiment: tuple[int, date] | None = None
    renewals: Sequence[RenewalFact] = ()  # open ones, due within 90 days or past due
    overdue: OverdueFact | None = None
    churn: ChurnFact | None = None  # of a model that has learned; None: nothing, or an estimate


def needs(facts: CustomerFacts, *, earlier: Sequence[Need] = ()) -> list[Need]:
    """All needs, worst first. An occurrence that goes on keeps the `since` it had (`earlier`)."""
    found = [
        need
        for rule in (
            _alert,
            _drop,
            _band_d,
            _silent,
            _renewal,
            _renewal_unjudged,
            _renewal_late,
            _churn_likely,
            _payment_overdue,
            _next_step,
            _no_contact,
            _data_missing,
            _sentiment_due,
        )
        if (need := rule(facts)) is not None
    ]
    covered = {
        code for alert in facts.alerts for kind in alert.covers for code in COVERED.get(kind, ())
    }
    found = [need for need in found if need["code"] not in covered]
    started = {need["code"]: need["since"] for need in earlier}
    for need in found:
        if need["code"] in {"health_drop", "band_d", "data_missing"}:
            need["since"] = min(need["since"], started.get(need["code"], need["since"]))
    return sorted(found, key=lambda need: need["severity"])


def need_rank(found: Sequence[Need], arr_minor: int | None) -> int:
    """One integer to order by: severity first, then ARR; 0 where nothing is needed.

    The amount counts in hundreds of the currency's unit, so the sum fits 32 bits.
    """
    if not found:
        return 0
    worst = min(need["severity"] for need in found)
    return (5 - worst) * 400_000_000 + min(max(arr_minor or 0, 0) // 10_000, 399_999_999)


def need_codes(found: Sequence[Need]) -> str:
    """The codes as one text to filter by: ",silent,band_d,"; empty for none."""
    return f",{','.join(need['code'] for need in found)}," if found else ""


def _need(code: str, severity: int, since: date, **facts: Any) -> Need:
    return {"code": code, "severity": severity, "since": since.isoformat(), "facts": facts}


def _alert(facts: CustomerFacts) -> Need | None:
    """The most urgent ticket that is not snoozed, with how many stand beside it."""
    awake = [alert for alert in facts.alerts if not alert.is_snoozed]
    if not awake:
        return None
    worst = awake[0]
    return _need("alert", worst.severity, worst.since, **worst.facts, others=len(awake) - 1)


def _drop(facts: CustomerFacts) -> Need | None:
    change = facts.change_week
    if change is None or facts.as_of is None or change > -DROP_POINTS:
        return None
    urgent = facts.band == "D" or change <= -DEEP_DROP_POINTS
    return _need(
        "health_drop",
        1 if urgent else 2,
        facts.as_of - timedelta(days=7),
        points=-change,
        score=facts.score,
        movers=[dict(mover) for mover in facts.movers if mover["points"] < 0][:2],
    )


def _band_d(facts: CustomerFacts) -> Need | None:
    if facts.band != "D" or facts.as_of is None:
        return None
    return _need(
        "band_d",
        2,
        facts.below_since or facts.as_of,
        score=facts.score,
        weakest=[dict(burden) for burden in facts.weakest],
    )


def _silent(facts: CustomerFacts) -> Need | None:
    """A customer who used the product and stopped."""
    if facts.last_event_on is None or facts.as_of is None:
        return None
    # as_of D holds data to the end of D-1: used on D-1 means 0 quiet days
    days = (facts.as_of - facts.last_event_on).days - 1
    limit = SILENT_DAYS.get(facts.touch_model, SILENT_DAYS["low"])
    if days < limit:
        return None
    since = facts.last_event_on + timedelta(days=1)
    severity = 1 if days >= LONG_SILENT_DAYS and facts.touch_model != "tech" else 2
    return _need("silent", severity, since, days=days, last_on=facts.last_event_on.isoformat())


def _renewal(facts: CustomerFacts) -> Need | None:
    """A renewal within 90 days while health is C or D."""
    if facts.renews_on is None or facts.band not in {"C", "D"}:
        return None
    days = (facts.renews_on - facts.today).days
    if not 0 <= days <= RENEWAL_DAYS:
        return None
    severity = 1 if facts.band == "D" or days <= RENEWAL_SOON_DAYS else 2
    since = facts.renews_on - timedelta(days=RENEWAL_DAYS)
    return _need(
        "renewal_near",
        severity,
        since,
        days=days,
        renews_on=facts.renews_on.isoformat(),
        band=facts.band,
        score=facts.score,
    )


def _renewal_unjudged(facts: CustomerFacts) -> Need | None:
    """Comes due within 90 days and nobody has said what is expected of it."""
    last = facts.today + timedelta(days=RENEWAL_DAYS)
    return _of_renewals(
        "renewal_unjudged",
        [one for one in facts.renewals if not one.is_judged and facts.today <= one.due_on <= last],
        facts.today,
        lambda left: 2 if left <= RENEWAL_SOON_DAYS else 3,
        started=lambda due: due - timedelta(days=RENEWAL_DAYS),
    )


def _renewal_late(facts: CustomerFacts) -> Need | None:
    """The due day passed and nobody has said what became of it."""
    return _of_renewals(
        "renewal_late",
        [one for one in facts.renewals if one.due_on < facts.today],
        facts.today,
        lambda left: 1 if -left > RENEWAL_SOON_DAYS else 2,
        started=lambda due: due + timedelta(days=1),
    )


def _of_renewals(
    code: str,
    rows: Sequence[RenewalFact],
    today: date,
    severity: Callable[[int], int],
    *,
    started: Callable[[date], date],
) -> Need | None:
    """One need for all of them: the one that comes first speaks, the others are counted."""
    if not rows:
        return None
    first = min(rows, key=lambda one: (one.due_on, -one.due_minor))
    left = (first.due_on - today).days
    return _need(
        code,
        severity(left),
        started(first.due_on),
        days=abs(left),
        due_on=first.due_on.isoformat(),
        due_minor=first.due_minor,
        currency=first.currency,
        product_zh=first.product_zh,
        product_en=first.product_en,
        others=len(rows) - 1,
    )


def _churn_likely(facts: CustomerFacts) -> Need | None:
    """What comes due within 90 days is more likely lost than kept."""
    one = facts.churn
    if one is None or one.probability < CHURN_LIKELY:
        return None
    days = (one.on - facts.today).days
    if not 0 <= days <= RENEWAL_DAYS:
        return None
    return _need(
        "churn_likely",
        1 if days <= RENEWAL_SOON_DAYS else 2,
        one.since,
        probability=one.probability,
        low=one.low,
        high=one.high,
        days=days,
        due_on=one.on.isoformat(),
        driver=dict(one.driver) if one.driver else None,
    )


def _payment_overdue(facts: CustomerFacts) -> Need | None:
    one = facts.overdue
    if one is None or one.days < OVERDUE_DAYS:
        return None
    urgent = 1 if one.days >= OVERDUE_LONG_DAYS else (2 if one.days >= OVERDUE_SOON_DAYS else 3)
    return _need(
        "payment_overdue",
        urgent,
        one.due_on + timedelta(days=1),
        days=one.days,
        due_on=one.due_on.isoformat(),
        number=one.number,
        count=one.count,
        amount_minor=one.amount_minor,
        currency=one.currency,
    )


def _next_step(facts: CustomerFacts) -> Need | None:
    day = facts.next_step_on
    if day is None or not facts.next_step or day > facts.today:
        return None
    days = (facts.today - day).days
    code = "next_step_overdue" if days else "next_step_today"
    return _need(code, 2, day, days=days, text=facts.next_step)


def _no_contact(facts: CustomerFacts) -> Need | None:
    """Nobody has talked with the customer for longer than its touch model allows."""
    limit = CONTACT_DAYS.get(facts.touch_model, CONTACT_DAYS["low"])
    start = facts.last_touch_on or facts.known_on
    days = (facts.today - start).days
    if days < limit:
        return None
    return _need(
        "no_contact",
        2 if days >= 2 * limit and facts.touch_model == "high" else 3,
        start + timedelta(days=limit),
        days=days,
        limit=limit,
        last_on=facts.last_touch_on.isoformat() if facts.last_touch_on else None,
        kind=facts.last_touch_kind,
    )


def _data_missing(facts: CustomerFacts) -> Need | None:
    """Judged, but not enough data for a number, and no longer new."""
    if facts.band != "N" or facts.as_of is None:
        return None
    if (facts.today - facts.known_on).days < NEW_CUSTOMER_DAYS:
        return None
    since = facts.known_on + timedelta(days=NEW_CUSTOMER_DAYS)
    return _need("data_missing", 4, since, coverage=facts.coverage)


def _sentiment_due(facts: CustomerFacts) -> Need | None:
    """What the CSM said of the customer's health has run out; a worry must be looked at sooner."""
    if facts.sentiment is None:
        return None
    level, last_day = facts.sentiment
    return _need("sentiment_due", 3 if level <= 2 else 4, last_day + timedelta(days=1), level=level)
