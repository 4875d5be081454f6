"""Bringing `CustomerSummary` up to date: derived rows, rebuilt whole at night, singly on change."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import connection, transaction
from django.db.models import Max

from gengyun.alerts.queries.open_alerts import OpenAlert, open_alerts
from gengyun.churn.queries.history import Key
from gengyun.customers.calc.journeys import pace
from gengyun.customers.models import Customer, Stage, Tier
from gengyun.health.calc.diff import diff, movers, weakest
from gengyun.health.models import HealthScore
from gengyun.health.queries.opinions import expired_sentiments
from gengyun.kernel.days import day_of
from gengyun.kernel.rows import insert_values, put
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summary_sources import (
    Kept,
    Scored,
    Source,
    kept_of,
    scores_of,
    sources_of,
)
from gengyun.portfolio.calc.needs import (
    AlertFact,
    ChurnFact,
    CustomerFacts,
    OverdueFact,
    RenewalFact,
    need_codes,
    need_rank,
    needs,
)
from gengyun.portfolio.calc.search import inner_pairs, search_key
from gengyun.portfolio.models import CustomerSummary, NamePair
from gengyun.portfolio.queries.churn import (
    Churn,
    chances_of,
    change_since,
    likely_facts,
    month_before,
    said_of,
    together,
)
from gengyun.portfolio.queries.commercial import overdue_facts, renewal_facts
from gengyun.revenue.queries.customer_value import CustomerValue, Inputs, inputs, values_of
from gengyun.usage.queries.metrics import live_values, values_as_of
from gengyun.usage.queries.touched import touched_since

CHUNK = 1_000
LINE_WEEKS = 12
FOUR_WEEKS = timedelta(weeks=4)
LOWEST_BAND_TOP = 50.0  # only to date an occurrence; the band itself comes from the scorecard
Report = Callable[[int, int], None]


@dataclass
class _Usage:
    """What the newest judged day says of use; read from the lake for a full refresh only."""

    as_of: date | None = None
    active_users_7d: Mapping[int, int | None] = field(default_factory=dict)
    users_before: Mapping[int, float | None] = field(default_factory=dict)  # four weeks before
    last_event_on: Mapping[int, date | None] = field(default_factory=dict)


def refresh_summaries(
    *,
    now: datetime,
    customer_ids: Iterable[int] | None = None,
    with_usage: bool = False,
    report: Report | None = None,
) -> int:
    """Rebuild the rows of these customers (all when None); returns how many. Harmless to repeat.

    A full refresh reads use from the lake and removes rows of customers that are gone; a partial
    one keeps the use that the row has, unless it is asked to read it again (`with_usage`).
    """
    wanted = None if customer_ids is None else sorted(set(customer_ids))
    usage = _read_usage(wanted, now) if wanted is None or with_usage else None
    worth = inputs(day_of(now), may_learn=wanted is None)
    then = month_before(day_of(now)) if wanted is None else None
    total = Customer.objects.present().count() if wanted is None else len(wanted)
    done = 0
    for ids in _batches(wanted):
        with transaction.atomic():
            done += _refresh_batch(ids, usage, now, worth, then=then)
        if report:
            report(done, total)
    _remove_gone(wanted)
    if wanted is None and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE portfolio_customersummary")  # the planner needs real counts
    return done


def _batches(wanted: Sequence[int] | None) -> Iterator[list[int]]:
    rows: Iterable[int] = (
        Customer.objects.present().order_by("pk").values_list("pk", flat=True).iterator()
        if wanted is None
        else wanted
    )
    source = iter(list(rows))  # read before writing: SQLite shares one connection
    while batch := list(islice(source, CHUNK)):
        yield batch


def _remove_gone(wanted: Sequence[int] | None) -> None:
    gone = CustomerSummary.objects.filter(customer__archived_at__isnull=False)
    if wanted is None:
        gone.delete()
        return
    for start in range(0, len(wanted), CHUNK):
        gone.filter(pk__in=wanted[start : start + CHUNK]).delete()


def _read_usage(wanted: Sequence[int] | None, now: datetime) -> _Usage:
    """Use up to the newest judged day; of customers that were active today, up to now."""
    as_of = HealthScore.objects.aggregate(newest=Max("as_of"))["newest"]
    if as_of is None:
        return _Usage()
    lake, keys = Lake.default(), ["active_users_7d", "days_since_active"]
    values = values_as_of(as_of, metric_keys=keys, customer_ids=wanted, lake=lake)
    if as_of == day_of(now):
        active = touched_since(lake, as_of)
        if wanted is not None:
            active = sorted(set(active).intersection(wanted))
        for start in range(0, len(active), CHUNK):
            ids, end = active[start : start + CHUNK], as_of + timedelta(days=1)
            values |= live_values(ids, as_of=as_of, until=end, metric_keys=keys, lake=lake)
    users: dict[int, int | None] = {}
    last: dict[int, date | None] = {}
    for pk, row in values.items():
        active_users, days = row.get("active_users_7d"), row.get("days_since_active")
        users[pk] = None if active_users is None else int(active_users)
        last[pk] = None if days is None else as_of - timedelta(days=int(days))
    earlier = values_as_of(
        as_of - FOUR_WEEKS, metric_keys=["active_users_7d"], customer_ids=wanted, lake=lake
    )
    before = {pk: row.get("active_users_7d") for pk, row in earlier.items()}
    return _Usage(as_of, users, before, last)


def _refresh_batch(
    ids: Sequence[int],
    usage: _Usage | None,
    now: datetime,
    worth: Inputs | None,
    *,
    then: Mapping[Key, float] | None,
) -> int:
    """`then`: probabilities a month before; None between two nights, when what cannot be worked
    out anew (the change against them, the value without inputs) stays as it was."""
    customers = sources_of(ids, Tier.objects.in_bulk(), Stage.objects.in_bulk())
    scores, old = scores_of(ids), kept_of(ids)
    tags = _tag_names(ids)
    alerts = open_alerts(ids, today=day_of(now))
    said = expired_sentiments(ids, today=day_of(now))
    due = renewal_facts(ids, today=day_of(now), now=now)
    owed = overdue_facts(ids, today=day_of(now), now=now)
    said_of_churn = said_of(ids)
    chances = chances_of(one for rows in said_of_churn.values() for one in rows)
    value = values_of(ids, worth, chances) if worth else {}
    churn = {pk: together(rows) for pk, rows in said_of_churn.items()}
    likely = likely_facts(churn)
    rows = [
        _row(
            c,
            scores.get(c.pk),
            old.get(c.pk),
            usage,
            alerts.get(c.pk, ()),
            now=now,
            sentiment=said.get(c.pk),
            tags=tags.get(c.pk, ()),
            renewals=due.get(c.pk, ()),
            overdue=owed.get(c.pk),
            churn=churn.get(c.pk),
            likely=likely.get(c.pk),
        )
        for c in customers
    ]
    for row in rows:
        before = old.get(row.pk) if then is None else None
        _put_value(row, value.get(row.pk), before if not worth else None)
        if then is not None and row.pk in said_of_churn:
            row.churn_change = change_since(row.pk, said_of_churn[row.pk], then)
        elif before is not None and row.churn is not None:
            row.churn_change = before.churn_change
    put(rows, _FIELDS)
    _index_names(rows, old)
    return len(rows)


def _tag_names(ids: Sequence[int]) -> dict[int, list[str]]:
    held = Customer.tags.through.objects.filter(customer_id__among=ids)
    found: dict[int, list[str]] = defaultdict(list)
    for customer_id, name in held.values_list("customer_id", "tag__name"):
        found[customer_id].append(name)
    return {customer_id: sorted(names) for customer_id, names in found.items()}


def _index_names(rows: Sequence[CustomerSummary], old: Mapping[int, Kept]) -> None:
    """Only of new and renamed customers: the pairs of an unchanged name are there."""
    changed = {
        row.pk: inner_pairs(row.search_key)
        for row in rows
        if row.pk not in old or old[row.pk].search_key != row.search_key
    }
    NamePair.objects.filter(customer__in=[pk for pk in changed if pk in old]).delete()
    pairs = [(pair, pk) for pk, found in changed.items() for pair in found]
    insert_values(NamePair, ("pair", "customer_id"), pairs)


_FIELDS = [
    f.name
    for f in CustomerSummary._meta.concrete_fields  # noqa: SLF001 - Django's documented name
    if not f.primary_key
]


def _row(
    customer: Source,
    score: Scored | None,
    old: Kept | None,
    usage: _Usage | None,
    alerts: Sequence[OpenAlert] = (),
    *,
    now: datetime,
    sentiment: tuple[int, date] | None = None,
    tags: Sequence[str] = (),
    renewals: Sequence[RenewalFact] = (),
    overdue: OverdueFact | None = None,
    churn: Churn | None = None,
    likely: ChurnFact | None = None,
) -> CustomerSummary:
    row = CustomerSummary(
        customer_id=customer.pk,
        name=customer.name,
        search_key=search_key(customer.name, customer.external_id)[:420],
        industry=customer.industry,
        region=customer.region,
        owner_id=customer.owner_id,
        tier_id=customer.tier_id,
        stage_id=customer.stage_id,
        stage_since=customer.stage_since,
        pace=_pace(customer, day_of(now)),
        tag_names=list(tags),
        arr_minor=customer.arr_minor,
        currency=customer.currency,
        seats=customer.seats,
        renews_on=customer.renews_on,
        last_touch_at=customer.touch_at,
        last_touch_kind=customer.touch_kind or "",
        next_step=customer.next_step,
        next_step_on=customer.next_step_on,
        updated_at=now,
    )
    _put_usage(row, old, usage)
    if score is not None:
        _put_health(row, score)
    if churn is not None:
        _put_churn(row, churn)
    facts = replace(
        _facts(customer, row, score, day_of(now)),
        alerts=_alert_facts(alerts),
        sentiment=sentiment,
        renewals=renewals,
        overdue=overdue,
        churn=likely,
    )
    found = needs(facts, earlier=old.needs if old else ())
    row.needs = found
    row.need_rank = need_rank(found, customer.arr_minor)
    row.need_codes = need_codes(found)
    return row


def _alert_facts(alerts: Sequence[OpenAlert]) -> list[AlertFact]:
    return [AlertFact(a.severity, a.since, a.is_snoozed, a.facts, a.covers) for a in alerts]


def _pace(customer: Source, today: date) -> str:
    stage = customer.stage
    if stage is None:
        return ""
    return pace(customer.stage_since, today, stage.expected_days, stage.longest_days)


def _put_usage(row: CustomerSummary, old: Kept | None, usage: _Usage | None) -> None:
    if usage is not None:
        row.active_users_7d = usage.active_users_7d.get(row.customer_id)
        row.last_event_on = usage.last_event_on.get(row.customer_id)
        row.active_change = _change(row.active_users_7d, usage.users_before.get(row.customer_id))
    elif old is not None:
        row.active_users_7d, row.last_event_on = old.active_users_7d, old.last_event_on
        row.active_change = old.active_change


def _change(users: int | None, before: float | None) -> float | None:
    """In percent; from nobody there is no percentage."""
    if users is None or not before:
        return None
    return round((users - before) / before * 100, 1)


def _put_health(row: CustomerSummary, score: Scored) -> None:
    row.as_of, row.score, row.band = score.as_of, score.score, score.band
    row.coverage, row.trend = score.coverage, score.trend
    row.line = _line(score)
    if score.week_ago:
        difference = diff(score.week_ago, score.explanation)
        row.change_week = difference["change"]
        row.movers = list(movers(difference))


def _put_churn(row: CustomerSummary, churn: Churn) -> None:
    row.churn, row.churn_low, row.churn_high = churn.probability, churn.low, churn.high
    row.churn_on, row.churn_as_of, row.churn_grade = churn.on, churn.as_of, churn.grade
    row.churn_refused, row.churn_is_estimate = churn.refused, churn.is_estimate


def _put_value(row: CustomerSummary, value: CustomerValue | None, old: Kept | None) -> None:
    if value is not None:
        row.ltv_minor, row.ltv_low_minor = value.shown_minor, value.low_minor
        row.ltv_high_minor = value.high_minor
    elif old is not None:
        row.ltv_minor, row.ltv_low_minor = old.ltv_minor, old.ltv_low_minor
        row.ltv_high_minor = old.ltv_high_minor


def _line(score: Scored) -> list[float | None]:
    """Twelve weekly scores, oldest first; weeks before the first score are unknown."""
    found = [None if value is None else round(value, 1) for _, value in score.history[-LINE_WEEKS:]]
    return [*[None] * (LINE_WEEKS - len(found)), *found]


def _facts(
    customer: Source, row: CustomerSummary, score: Scored | None, today: date
) -> CustomerFacts:
    return CustomerFacts(
        today=today,
        touch_model=customer.tier.touch_model if customer.tier else "",
        known_on=customer.started_on or day_of(customer.known_at),
        as_of=row.as_of,
        score=row.score,
        band=row.band if score else "",
        change_week=row.change_week,
        movers=row.movers,
        coverage=row.coverage,
        below_since=_below_since(score) if score and row.band == "D" else None,
        last_event_on=row.last_event_on,
        last_touch_on=day_of(row.last_touch_at) if row.last_touch_at else None,
        last_touch_kind=row.last_touch_kind,
        renews_on=row.renews_on,
        next_step=row.next_step,
        next_step_on=row.next_step_on,
        weakest=weakest(score.explanation) if score and row.band == "D" else (),
    )


def _below_since(score: Scored) -> date:
    """The first of the latest weeks that were all below the lowest band's top."""
    since = score.as_of
    for day, value in reversed(score.history):
        if value is None or value >= LOWEST_BAND_TOP:
            break
        since = date.fromisoformat(day)
    return since
