"""The drain: from the inbox to the lake, every acknowledged event exactly once.

One turn: read batches, decode, resolve, drop what is there already; then, in this order and each
durable before the next, (1) people, quarantine and the counts to come in one transaction, (2) the
rows in one commit of the lake that carries the last inbox id, (3) counters, (4) the inbox rows go.
A kill before (2) repeats the turn, (1) is idempotent; after (2) the mark says so.
"""

import contextlib
import fcntl
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import itemgetter

import msgspec
import pyarrow as pa
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from gengyun.kernel import faults
from gengyun.kernel.days import day_of, start_of
from gengyun.lake.inbox import AnyInbox, Batch, open_inbox
from gengyun.lake.store import Lake
from gengyun.usage.actions import counting, listening
from gengyun.usage.actions.deliveries import Delivery, Held, Left, Row, SourceFacts, micros
from gengyun.usage.actions.newcomers import admit
from gengyun.usage.actions.people import People
from gengyun.usage.actions.replaying import REPLAY, deliveries_again, replay_mapped
from gengyun.usage.actions.resolve import Resolver
from gengyun.usage.actions.writing import Mask, first_of_each, message_keys, recent_keys, to_arrow
from gengyun.usage.calc.decode import BadEvent, DecodedEvent, Envelope, Skipped, decode_batch
from gengyun.usage.models import Source

log = logging.getLogger(__name__)

TURN_BYTES = 24_000_000
# a repeated message is recognised for this long; clients stop sending again after hours
LOOKBACK_DAYS = 30


@dataclass
class DrainReport:
    """One turn. `rows` went to the lake; `through_id` is the last inbox id, 0 for nothing done."""

    events: int = 0
    duplicates: int = 0
    quarantined: int = 0
    left_out: int = 0  # of robots, and what clients send for themselves
    rows: int = 0
    through_id: int = 0
    changes_past: bool = False  # some rows count as known before today
    waiting: bool = False  # another process drains at the moment


def drain_once(
    *, inbox: AnyInbox, lake: Lake, now: datetime, limit_bytes: int = TURN_BYTES
) -> DrainReport:
    """One turn of at most about `limit_bytes` of the inbox; an empty report: nothing to do."""
    with alone(lake) as mine, without_gc():
        if not mine:
            return DrainReport(waiting=True)
        counting.settle(lake, now=now)
        done = lake.app_version("events", counting.APP) or 0
        batches = inbox.read(done, limit_bytes)
        if not batches:
            if inbox.depth():  # a turn was killed between the commit and here
                inbox.delete_through(done)
            return DrainReport()
        return _turn(batches, inbox=inbox, lake=lake, now=now)


def drain_all(*, inbox: AnyInbox, lake: Lake, now: datetime) -> DrainReport:
    """Turns until the inbox is empty; for commands and tests."""
    total = DrainReport()
    while (report := drain_once(inbox=inbox, lake=lake, now=now)).through_id:
        total.events += report.events
        total.duplicates += report.duplicates
        total.quarantined += report.quarantined
        total.left_out += report.left_out
        total.rows += report.rows
        total.changes_past |= report.changes_past
        total.through_id = report.through_id
    return total


@dataclass
class _Turn:
    """Everything that one turn will write, nothing written yet but new customers."""

    through_id: int
    people: People
    tally: counting.Tally
    held: list[Held]
    left: list[Left]
    rows: list[Row]
    keys: list[int]  # of the rows
    table: pa.Table
    known_from: int | None  # the earliest moment from which a row counts as known
    events: int
    duplicates: int


def _turn(batches: list[Batch], *, inbox: AnyInbox, lake: Lake, now: datetime) -> DrainReport:
    """A turn of these batches, or of the first of them if something in them cannot be handled."""
    while True:
        try:
            turn = _prepare(batches, lake=lake, now=now)
            break
        except (OSError, DatabaseError):
            raise  # the disk or the database: the same turn again, later
        except Exception as error:
            log.exception("%s batches from %s on cannot be drained", len(batches), batches[0].id)
            if len(batches) == 1:
                # no acknowledged event is lost, and none holds up those behind it
                turn = _prepare([], aside=(batches[0], repr(error)), lake=lake, now=now)
                break
            batches = batches[: len(batches) // 2]
    return _write(turn, inbox=inbox, lake=lake, now=now)


def _prepare(
    batches: list[Batch], *, lake: Lake, now: datetime, aside: tuple[Batch, str] | None = None
) -> _Turn:
    deliveries, bad, left = _decode(batches) if aside is None else ([], _set_aside(*aside), [])
    admit(deliveries, now=now)
    people = People(deliveries)
    resolver = Resolver(people)
    resolver.resolve(deliveries)
    keys = message_keys(resolver.rows)
    keep = first_of_each(keys)
    keep &= ~recent_keys(lake, days=LOOKBACK_DAYS).known(keys, today=day_of(now))
    held = bad + resolver.held
    rows = resolver.rows if keep.all() else list(compress(resolver.rows, keep.tolist()))
    return _Turn(
        through_id=batches[-1].id if aside is None else aside[0].id,
        people=people,
        tally=_tally(resolver, keep, held, left),
        held=held,
        left=left,
        rows=rows,
        keys=keys[keep].tolist(),
        table=to_arrow(rows, keys[keep]),
        known_from=min(map(itemgetter(4), rows), default=None),
        events=len(keys) + len(held) + len(resolver.told) + len(left),
        duplicates=len(keys) - len(rows),
    )


def _write(turn: _Turn, *, inbox: AnyInbox, lake: Lake, now: datetime) -> DrainReport:
    with _durable(), transaction.atomic():
        turn.people.save(now=now)
        counting.hold(turn.held)
        counting.note_pending(turn.tally, through_id=turn.through_id)
        listening.tell(turn.rows, turn.keys, now=now)
    faults.point("drain.noted")
    lake.append("events", turn.table, app=counting.APP, version=turn.through_id)
    faults.point("drain.appended")
    counting.settle(lake, now=now)
    faults.point("drain.counted")
    inbox.delete_through(turn.through_id)
    faults.point("drain.deleted")
    counting.save_samples(turn.tally)
    replay_mapped(turn.people.mapped, inbox=inbox, now=now)
    today_starts = micros(start_of(day_of(now)))
    return DrainReport(
        events=turn.events,
        duplicates=turn.duplicates,
        quarantined=len(turn.held),
        left_out=len(turn.left),
        rows=len(turn.rows),
        through_id=turn.through_id,
        changes_past=turn.known_from is not None and turn.known_from < today_starts,
    )


def _set_aside(batch: Batch, why: str) -> list[Held]:
    """Every event of the request to quarantine. Of a replay nothing: its events are there."""
    source = Source.objects.filter(pk=batch.source_id).first()
    if source is None:
        return []
    delivery = Delivery(SourceFacts.of(source), batch.id, batch.kind, batch.received_at, [])
    bodies = [batch.body]
    if batch.kind in {"batch", "posthog"}:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            bodies = [bytes(raw) for raw in msgspec.json.decode(batch.body, type=Envelope).batch]
    events = [
        BadEvent(at, "bad_shape", why[:300], "", batch.sent_at, body)
        for at, body in enumerate(bodies)
    ]
    return [Held(delivery, event, event.reason, event.detail) for event in events]


def _decode(batches: list[Batch]) -> tuple[list[Delivery], list[Held], list[Left]]:
    sources = {source.pk: SourceFacts.of(source) for source in Source.objects.all()}
    deliveries: list[Delivery] = []
    bad: list[Held] = []
    left: list[Left] = []
    taken: set[int] = set()
    for batch in batches:
        if batch.kind == REPLAY:
            again, still_bad = deliveries_again(batch.body, sources, taken=taken)
            deliveries += again
            bad += still_bad
            continue
        source = sources.get(batch.source_id)
        if source is None:
            continue  # the source was deleted, and its data with it
        delivery = Delivery(source, batch.id, batch.kind, batch.received_at, [])
        decoded = decode_batch(
            batch.body,
            batch.kind,
            batch.received_at,
            is_browser=source.is_browser,
            place=str(batch.id),
            sent_at=batch.sent_at,
            group_type=source.group_type,
            drops_bots=source.drops_bots,
        )
        delivery.events = [event for event in decoded if type(event) is DecodedEvent]
        if len(delivery.events) < len(decoded):
            bad += [
                Held(delivery, event, event.reason, event.detail)
                for event in decoded
                if isinstance(event, BadEvent)
            ]
            left += [Left(delivery, event) for event in decoded if isinstance(event, Skipped)]
        deliveries.append(delivery)
    return deliveries, bad, left


def _tally(resolver: Resolver, keep: Mask, held: list[Held], left: list[Left]) -> counting.Tally:
    tally = counting.Tally()
    tally.count_rows(resolver.rows, keep)
    for delivery, _ in resolver.told:
        tally.add(delivery, outcome="accepted")
    for item in held:
        tally.add(item.delivery, outcome=item.reason)
    for delivery, skipped in left:
        tally.add(delivery, outcome=skipped.reason)
    counting.sample_turn(tally, resolver, keep, held, left)
    return tally


@contextlib.contextmanager
def alone(lake: Lake, *, wait: bool = False) -> Iterator[bool]:
    """One process at a time puts events into the lake; a killed one's lock is free at once."""
    folder = lake.path / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "drain.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def without_gc() -> Iterator[None]:
    """A turn makes a million small objects and no cycles: the collector would cost half."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def _durable() -> Iterator[None]:
    """Make the commit inside survive a power cut: the inbox rows will go because of it."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")


def inbox_here() -> AnyInbox:
    """The inbox of this deployment."""
    return open_inbox(settings.INBOX_PATH)
