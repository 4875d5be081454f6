"""Episodes of one rule on one day: read, decided, and what came of it. Writes nothing itself."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from gengyun.alerts.calc.episodes import (
    EXIT_EVALUATIONS,
    Do,
    Ended,
    Running,
    Step,
    Terms,
    step,
    worst,
)
from gengyun.alerts.calc.found import Found, Reading
from gengyun.alerts.calc.params import COMPANY_KINDS, FACT_KINDS
from gengyun.alerts.models import AlertPolicy, AlertRule, Episode, Suppression

KEPT_EVIDENCE = 15  # the first reading and the newest fourteen
SILENT = {
    Do.COOL_DOWN: Suppression.Reason.COOL_DOWN,
    Do.NOT_WORSE: Suppression.Reason.NOT_WORSE,
}


@dataclass
class Moves:
    """What the day did to the episodes of a rule."""

    rule: AlertRule
    opened: list[tuple[Episode, Reading]] = field(default_factory=list)
    going: list[tuple[Episode, Reading]] = field(default_factory=list)  # they hold today
    closed: list[Episode] = field(default_factory=list)
    created: list[Episode] = field(default_factory=list)  # rows to insert
    changed: list[Episode] = field(default_factory=list)  # rows to update
    forgotten: list[Episode] = field(default_factory=list)  # rows to delete
    silent: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))


def moves_of(
    rule: AlertRule,
    found: Found,
    *,
    as_of: date,
    now: datetime,
    policy: AlertPolicy,
    customer_ids: Collection[int] | None = None,
) -> Moves:
    """Decide for everything that entered, runs or was closed by hand lately. `customer_ids`: only
    these customers are judged (facts that just changed)."""
    moves = Moves(rule)
    is_fact = rule.kind in FACT_KINDS or rule.kind in COMPANY_KINDS
    terms = Terms(
        evaluations=found.evaluations,
        cool_down_days=rule.cool_down_days,
        reopen_days=max(policy.reopen_days, rule.cool_down_days),
        worse=found.worse,
        exit_evaluations=1 if is_fact else EXIT_EVALUATIONS,
    )
    judge = _Judge(moves, found, terms, as_of, now)
    live = _live(rule, customer_ids)
    ended = _ended(rule, customer_ids, since=as_of - timedelta(days=terms.reopen_days))
    todo: dict[str, int | None] = {
        found.key(row): row for row in np.nonzero(found.entered)[0].tolist()
    }
    for episode in (*live.values(), *ended.values()):
        if episode.dedupe_key not in todo:
            todo[episode.dedupe_key] = judge.row_of(episode)
    for key, row in todo.items():
        judge.decide(key, row, live.get(key), ended.get(key))
    return moves


def _live(rule: AlertRule, customer_ids: Collection[int] | None) -> dict[str, Episode]:
    rows = Episode.objects.filter(rule=rule, closed_on__isnull=True)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=list(customer_ids))
    return {row.dedupe_key: row for row in rows.select_for_update()}


def _ended(
    rule: AlertRule, customer_ids: Collection[int] | None, *, since: date
) -> dict[str, Episode]:
    rows = Episode.objects.filter(rule=rule, end=Episode.End.MANUAL, closed_on__gte=since).order_by(
        "closed_on", "pk"
    )
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=list(customer_ids))
    return {row.dedupe_key: row for row in rows}


class _Judge:
    """One rule on one day: what becomes of each thing it is about."""

    def __init__(
        self, moves: Moves, found: Found, terms: Terms, as_of: date, now: datetime
    ) -> None:
        self.moves, self.found, self.terms = moves, found, terms
        self.as_of, self.now = as_of, now
        self.places = {key: row for row, key in enumerate(found.keys or ())}

    def row_of(self, episode: Episode) -> int | None:
        if self.found.keys is not None:
            return self.places.get(episode.dedupe_key)
        return self.found.row_of(episode.customer_id)

    def decide(
        self, key: str, row: int | None, live: Episode | None, ended: Episode | None
    ) -> None:
        if self._is_gone(row):
            if live is not None:
                self._end(live, Episode.End.GONE)
            return
        reading = self._reading(row, live)
        decided = step(
            reading=reading,
            running=_running(live),
            ended=_as_ended(ended),
            terms=self.terms,
            as_of=self.as_of,
        )
        if decided.do in SILENT:
            customer_id = int(self.found.ids[row]) if row is not None else None
            self.moves.silent[SILENT[decided.do]].append(customer_id)
        elif decided.do is Do.MARK_CLEARED and ended is not None:
            ended.cleared_on, ended.updated_at = self.as_of, self.now
            self.moves.changed.append(ended)
        elif decided.do in {Do.WATCH, Do.OPEN, Do.GO_ON}:
            self._go_on(key, row, live, reading, decided)
        elif live is not None and decided.do is Do.FORGET:
            self.moves.forgotten.append(live)
        elif live is not None and decided.do is Do.CLOSE:
            live.exit_count = decided.exit_count
            self._end(live, Episode.End.CLEARED)

    def _is_gone(self, row: int | None) -> bool:
        """Not among the rows although it should be (archived), or out of the rule's scope."""
        if row is None:
            return not self.found.missing_is_cleared
        return self.found.outside is not None and bool(self.found.outside[row])

    def _reading(self, row: int | None, live: Episode | None) -> Reading:
        if row is None:  # the thing is settled: a contact who is back, a source that was removed
            return Reading(entered=False, cleared=True, severity=live.severity if live else 4)
        if live is None or live.state != Episode.State.OPEN:
            return self.found.reading(row)
        days = (self.as_of - live.opened_on).days
        return self.found.reading(row, reference=live.reference, days_open=days)

    def _go_on(
        self, key: str, row: int | None, live: Episode | None, reading: Reading, decided: Step
    ) -> None:
        if live is not None:
            episode = live
        else:
            assert row is not None  # noqa: S101 - only a row can enter
            episode = self._new(key, row, reading)
            self.moves.created.append(episode)
        was_open, before = episode.state == Episode.State.OPEN, _shape(episode)
        episode.enter_count, episode.exit_count = decided.enter_count, decided.exit_count
        self._note(episode, reading)
        if decided.do is Do.OPEN:
            episode.state, episode.opened_on = Episode.State.OPEN, self.as_of
            self.moves.opened.append((episode, reading))
        elif was_open and reading.entered:
            self.moves.going.append((episode, reading))
        if live is not None and _shape(episode) != before:
            self.moves.changed.append(episode)

    def _new(self, key: str, row: int, reading: Reading) -> Episode:
        customer_id = int(self.found.ids[row])
        return Episode(
            rule=self.moves.rule,
            rule_version=self.moves.rule.version,
            customer_id=None if customer_id < 0 else customer_id,
            dedupe_key=key,
            state=Episode.State.WATCHING,
            opened_on=self.as_of,
            last_seen_on=self.as_of,
            judged_on=self.as_of,
            severity=reading.severity,
            reference=reading.reference,
            created_at=self.now,
            updated_at=self.now,
        )

    def _note(self, episode: Episode, reading: Reading) -> None:
        """Put the day's reading into the episode; a day judged again replaces its own."""
        episode.judged_on, episode.updated_at = self.as_of, self.now
        if not reading.entered and reading.value is None:
            return  # nothing was known on this day
        if reading.entered:
            episode.last_seen_on = self.as_of
            episode.severity = min(episode.severity, reading.severity)
            episode.worst = worst(reading.value, episode.worst, self.found.worse)
        episode.value = reading.value
        line = {
            "on": self.as_of.isoformat(),
            "value": reading.value,
            "severity": reading.severity,
            **reading.facts,
        }
        earlier = [one for one in episode.evidence if one["on"] != line["on"]]
        episode.evidence = [*earlier[:1], *earlier[1:][-(KEPT_EVIDENCE - 2) :], line]

    def _end(self, live: Episode, end: Episode.End) -> None:
        if live.state == Episode.State.WATCHING:
            self.moves.forgotten.append(live)
            return
        live.state, live.end, live.closed_on = Episode.State.CLOSED, end, self.as_of
        live.judged_on, live.updated_at = self.as_of, self.now
        live.close_severity, live.close_value = live.severity, live.value
        self.moves.changed.append(live)
        self.moves.closed.append(live)


def _running(live: Episode | None) -> Running | None:
    if live is None:
        return None
    return Running(
        is_open=live.state == Episode.State.OPEN,
        opened_on=live.opened_on,
        judged_on=live.judged_on,
        enter_count=live.enter_count,
        exit_count=live.exit_count,
    )


def _as_ended(ended: Episode | None) -> Ended | None:
    if ended is None or ended.closed_on is None:
        return None
    return Ended(
        closed_on=ended.closed_on,
        is_manual=ended.end == Episode.End.MANUAL,
        cleared_on=ended.cleared_on,
        severity=ended.close_severity or ended.severity,
        value=ended.close_value,
    )


def _shape(episode: Episode) -> tuple[Any, ...]:
    """What a day writes: the same twice needs no row."""
    return (
        episode.state,
        episode.judged_on,
        episode.enter_count,
        episode.exit_count,
        episode.value,
        episode.severity,
        episode.worst,
        list(episode.evidence),
    )


EPISODE_FIELDS = [
    "alert",
    "state",
    "opened_on",
    "last_seen_on",
    "judged_on",
    "closed_on",
    "cleared_on",
    "end",
    "severity",
    "value",
    "worst",
    "close_severity",
    "close_value",
    "enter_count",
    "exit_count",
    "evidence",
    "updated_at",
]


def write_episodes(all_moves: Iterable[Moves]) -> None:
    """All rows of the day in bulk; call it inside the transaction that decided."""
    rows = list(all_moves)
    Episode.objects.bulk_create([one for m in rows for one in m.created], batch_size=500)
    changed = {one.pk: one for m in rows for one in m.changed}
    Episode.objects.bulk_create(
        list(changed.values()),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=EPISODE_FIELDS,
        batch_size=400,
    )
    gone = [one.pk for m in rows for one in m.forgotten]
    for start in range(0, len(gone), 500):
        Episode.objects.filter(pk__in=gone[start : start + 500]).delete()
