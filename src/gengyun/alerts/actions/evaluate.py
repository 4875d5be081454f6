"""Judging a day for alerts: every rule over all customers, then episodes, then work items.

Reading and computing happen outside the transaction; all decisions and rows of the day are one
transaction. A day that was judged before opens nothing twice; a day before the newest judged one
changes nothing at all: the past does not open work items today.
"""

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from gengyun.alerts.actions.books import CHUNK, Books, chunks
from gengyun.alerts.actions.ending import close_cleared, wake_snoozed
from gengyun.alerts.actions.marks import set_marks
from gengyun.alerts.actions.moves import Moves, moves_of, write_episodes
from gengyun.alerts.actions.opening import open_work_items, raise_severity
from gengyun.alerts.calc.found import Found
from gengyun.alerts.calc.params import FACT_KINDS, USAGE_KINDS
from gengyun.alerts.calc.usage_rules import explained_by_calendar, ongoing
from gengyun.alerts.models import Alert, AlertDay, AlertRule, Suppression
from gengyun.alerts.queries.day import Day
from gengyun.alerts.queries.found import found_by
from gengyun.alerts.queries.policy import families, policy, rules_in_force
from gengyun.health.models import HealthScore
from gengyun.kernel.day import Report
from gengyun.kernel.outbox import emit
from gengyun.lake.store import Lake


@dataclass(frozen=True)
class Result:
    """What a judged day did; alerts unless said otherwise."""

    as_of: date
    is_newest: bool  # False: an earlier day; nothing was done
    customers: int = 0
    opened: int = 0  # new work items, parts and digest included
    tickets: int = 0  # of them shown at once
    digest: int = 0  # of them put into the digest
    from_digest: int = 0
    joined: int = 0  # further episodes of alerts that are open
    reopened: int = 0
    raised: int = 0
    listed: int = 0  # new on the watch-list: no work item
    closed: int = 0  # by themselves
    woken: int = 0
    suppressed: int = 0  # openings that were silenced: cool-down, outage, silent source, holidays


@dataclass
class _Seen:
    rule: AlertRule
    found: Found


def evaluate_day(
    as_of: date,
    *,
    now: datetime,
    lake: Lake | None = None,
    report: Report | None = None,
    tell: bool = True,
) -> Result:
    """Judge the day. `tell=False`: summaries are refreshed by the caller anyway."""
    if as_of < max(_newest(AlertDay), _newest(HealthScore), as_of):
        return Result(as_of, is_newest=False)
    started = time.perf_counter()
    day = Day(as_of, now=now, lake=lake)
    set_marks(as_of, now=now, lake=day.lake)
    seen = []
    rules = rules_in_force()
    for place, rule in enumerate(rules):
        seen.append(_Seen(rule, found_by(rule, day)))
        if report:
            report(place + 1, len(rules) + 1)
    with transaction.atomic():
        books = Books(as_of, now, policy())
        result = _apply(books, _trusted(books, seen, day), customers=len(day.ids), wake=True)
        AlertDay.objects.update_or_create(
            as_of=as_of,
            defaults={
                "judged_at": now,
                "seconds": round(time.perf_counter() - started, 3),
                "counts": {k: v for k, v in asdict(result).items() if isinstance(v, int)},
                "notes": _notes(day),
            },
        )
        if tell:
            _tell(books)
    return result


def _newest(model: type[AlertDay] | type[HealthScore]) -> date:
    return model.objects.aggregate(newest=Max("as_of"))["newest"] or date.min


def evaluate_facts(*, customer_ids: Collection[int], now: datetime) -> Result | None:
    """Judge rules about plain facts for a few customers at once; None before the first day."""
    newest = AlertDay.objects.aggregate(newest=Max("as_of"))["newest"]
    rules = [rule for rule in rules_in_force() if rule.kind in FACT_KINDS]
    if newest is None or not rules or not customer_ids:
        return None
    day = Day(newest, now=now, customer_ids=list(customer_ids), is_now=True)
    seen = [_Seen(rule, found_by(rule, day)) for rule in rules]
    with transaction.atomic():
        books = Books(newest, now, policy(), is_now=True)
        result = _apply(books, seen, customers=len(day.ids), customer_ids=customer_ids)
        _tell(books)
    return result


def evaluate_sources(*, now: datetime) -> Result | None:
    """Are the data sources alive? Between two judged days; None before the first."""
    newest = AlertDay.objects.aggregate(newest=Max("as_of"))["newest"]
    rules = [rule for rule in rules_in_force() if rule.kind == AlertRule.Kind.SOURCE_SILENT]
    if newest is None or not rules:
        return None
    day = Day(newest, now=now, customer_ids=[], is_now=True)
    seen = [_Seen(rule, found_by(rule, day)) for rule in rules]
    with transaction.atomic():
        books = Books(newest, now, policy(), is_now=True)
        return _apply(books, seen, customers=0, customer_ids=None, wake=True)


def _apply(
    books: Books,
    seen: list[_Seen],
    *,
    customers: int,
    customer_ids: Collection[int] | None = None,
    wake: bool = False,
) -> Result:
    """Decide and write; call it inside the transaction."""
    moves = [
        moves_of(
            one.rule,
            one.found,
            as_of=books.as_of,
            now=books.now,
            policy=books.policy,
            customer_ids=customer_ids,
        )
        for one in seen
    ]
    woken = wake_snoozed(books) if wake else 0
    raised = _go_on(books, moves)  # first: what became urgent may leave the digest today
    told = [move for move in moves if not move.rule.is_watch_list]
    done = open_work_items(books, told, families())
    write_episodes(moves)
    listed = sum(len(move.opened) for move in moves if move.rule.is_watch_list)
    closed = close_cleared(books, [episode for move in moves for episode in move.closed])
    _log_silent(books, moves)
    books.write()
    silenced = (one.count for one in books.suppressions.values() if one.reason not in _SHOWN)
    return Result(
        books.as_of,
        is_newest=True,
        customers=customers,
        raised=raised,
        listed=listed,
        closed=closed,
        woken=woken,
        suppressed=sum(silenced),
        **done,
    )


# suppressions that stand for a work item all the same
_SHOWN = {Suppression.Reason.BUDGET, Suppression.Reason.SNOOZE}


def _go_on(books: Books, moves: list[Moves]) -> int:
    """Alerts whose episodes hold today: seen, and raised where they became more urgent."""
    most_urgent: dict[int, int] = {}
    for move in moves:
        for episode, reading in move.going:
            if episode.alert_id is not None:
                before = most_urgent.get(episode.alert_id, 9)
                most_urgent[episode.alert_id] = min(before, reading.severity)
    rising: list[int] = []
    for part in chunks(most_urgent):
        live = Alert.objects.open().filter(pk__in=part)
        rows = live.values_list("pk", "severity")
        rising += [pk for pk, severity in rows if most_urgent[pk] < severity]
        live.order_by().update(last_seen_on=books.as_of)
    books.load_ids(rising)
    # a part that rises lifts its ticket
    books.load_ids([a.parent_id for a in books.live.values() if a.parent_id is not None])
    seen = [alert for alert in books.live.values() if alert.pk in most_urgent]
    for alert in seen:
        alert.last_seen_on = books.as_of
    return sum(raise_severity(books, alert, most_urgent[alert.pk]) for alert in seen)


def _trusted(books: Books, seen: list[_Seen], day: Day) -> list[_Seen]:
    """While use itself cannot be trusted (an outage, a silent source) its rules are not asked: they
    open nothing and close nothing. What a holiday would have raised is logged."""
    if not any(one.rule.kind in USAGE_KINDS for one in seen):
        return seen
    running = ongoing(day.calendar, day.as_of)
    silent = [
        str(one.found.facts["name"][row])
        for one in seen
        if one.rule.kind == AlertRule.Kind.SOURCE_SILENT
        for row in np.nonzero(one.found.entered)[0].tolist()
    ]
    trusted = []
    for one in seen:
        if one.rule.kind not in USAGE_KINDS or not (running or silent):
            trusted.append(one)
            _log_calendar(books, one, day)
            continue
        count = int(one.found.entered.sum())
        if running is not None:
            books.suppress(
                Suppression.Reason.OUTAGE,
                rule=one.rule,
                count=max(running.customers, count),
                first=running.first.isoformat(),
            )
        elif count:
            books.suppress(Suppression.Reason.SOURCE, rule=one.rule, count=count, sources=silent)
    return trusted


def _log_calendar(books: Books, one: _Seen, day: Day) -> None:
    if one.rule.kind != AlertRule.Kind.USAGE_DROP:
        return
    count = explained_by_calendar(one.found, day.usage.use, day.calendar)
    if count:
        books.suppress(Suppression.Reason.CALENDAR, rule=one.rule, count=count)


def _log_silent(books: Books, moves: list[Moves]) -> None:
    for move in moves:
        for reason, customer_ids in move.silent.items():
            for customer_id in customer_ids:
                books.suppress(reason, rule=move.rule, customer_id=customer_id)


def _notes(day: Day) -> list[dict[str, Any]]:
    """What a reader of the day's alerts must know of the calendar."""
    if "calendar" not in day.__dict__:
        return []  # no rule asked for it
    notes: list[dict[str, Any]] = [
        {
            "code": "outage",
            "first": one.first.isoformat(),
            "last": one.last.isoformat(),
            "ratio": round(one.ratio, 3),
            "customers": one.customers,
            "is_announced": one.is_announced,
        }
        for one in day.calendar.outages
    ]
    beyond = day.calendar.unannounced_from
    if beyond is not None:
        notes.append({"code": "calendar_unannounced", "from": beyond.isoformat()})
    return notes


def _tell(books: Books) -> None:
    ids = sorted(books.customer_ids)
    for start in range(0, len(ids), CHUNK):
        emit("alert.changed", {"customer_ids": ids[start : start + CHUNK]}, now=books.now)
