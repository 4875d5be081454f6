"""Dated facts of the deployment: people who left, noted risks, touches, opinions, money."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from gengyun.churn.calc.observed import KINDS, NEVER, Facts
from gengyun.churn.queries.observed_invoices import invoices
from gengyun.churn.queries.observed_past import Fact, changes_of, standing
from gengyun.churn.queries.observed_people import departures, touches
from gengyun.churn.queries.observed_prices import prices
from gengyun.churn.queries.observed_surveys import answered, unanswered
from gengyun.engagement.models import Risk
from gengyun.health.models import Sentiment
from gengyun.kernel.days import day_of, start_of

DAY = timedelta(days=1)
# cause in the tree of risk causes -> kind; any other noted risk is a "risk"
OF_CAUSE = {
    "decider_changed": "decider_left",
    "champion_changed": "champion_left",
    "competitor": "competitor",
    "roi_wrong": "roi_doubt",
    "sold_wrong": "missold",
    "layoff": "layoff",
    "contact_refused": "contact_refused",
    "no_feedback": "no_reply",
}


def facts(until: date) -> Facts:
    """Known before `until`; an end that came on that day or later is not known."""
    rows = [
        row
        for source in (departures, _risks, touches, _opinions, _surveys, invoices, _prices)
        for row in source(until)
        if row.known < until
    ]
    ends = [NEVER if row.until is None or row.until >= until else row.until for row in rows]
    return Facts.of(
        account=[row.customer_id for row in rows],
        kind=[KINDS.index(row.kind) for row in rows],
        happened=np.array([row.happened for row in rows], dtype="datetime64[D]"),
        known=np.array([row.known for row in rows], dtype="datetime64[D]"),
        until=np.array(ends, dtype="datetime64[D]"),
        value=np.array([row.value for row in rows], dtype=np.float64),
    )


def _risks(until: date) -> Iterator[Fact]:
    """What was noted counts until it was ended, and again from when it was resumed: a mistake too,
    for nobody knew it was one."""
    log = changes_of(Risk, {"end"})
    rows = Risk.objects.filter(known_at__lt=start_of(until))
    for row in rows.order_by("pk"):
        kind, known = OF_CAUSE.get(row.cause, "risk"), day_of(row.known_at)
        changes = log.get(row.pk, [])
        if not changes and row.ended_at is not None:  # written at once, with its end
            changes = [(day_of(row.ended_at), {"end": ("", row.end)})]
        for since, over, values in standing({"end": row.end}, changes, known):
            if not values["end"]:
                yield Fact(row.customer_id, kind, row.happened_on, since, over)


def _opinions(until: date) -> Iterator[Fact]:
    rows = Sentiment.objects.filter(known_at__lt=start_of(until)).order_by("pk")
    for row in rows:
        ends = row.valid_until + DAY
        if row.ended_at is not None:
            ends = min(ends, day_of(row.ended_at))
        known = day_of(row.known_at)
        yield Fact(row.customer_id, "sentiment", known, known, ends, float(row.level))


def _surveys(until: date) -> Iterator[Fact]:
    """Scores that were given, and waves that brought no answer from anybody."""
    for source in (answered, unanswered):
        for customer_id, kind, day, value in source(until):
            yield Fact(customer_id, kind, day, day, None, value)


def _prices(until: date) -> Iterator[Fact]:
    """What was asked for the next term, while it stood and the renewal was open."""
    for customer_id, since, ended, share in prices(until):
        yield Fact(customer_id, "price_rise", since, since, ended, share)
