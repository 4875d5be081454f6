"""The journey goes on: what the criteria of stages ask for is done daily, and at once on a tick."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from gengyun.customers.actions import fields
from gengyun.customers.actions.history import Change, Frame, write_changes
from gengyun.customers.actions.scope import mine
from gengyun.customers.calc import journeys as calc
from gengyun.customers.models import Customer, Stage, StageProgress, StageStay
from gengyun.customers.queries.facts import by_customer, fact_values
from gengyun.customers.queries.journeys import facts_of, plan_of
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

BATCH = 5_000
AT_ONCE = 200_000  # customers whose facts are held in memory together
Report = Callable[[int, int], None]


class CheckUnknown(Refusal):
    code = "check_unknown"
    status = 404
    message = "The stage asks for no such thing."


class MoveTooOld(Refusal):
    code = "move_too_old"
    status = 409
    message = "The customer has moved on; this can no longer be taken back."


@dataclass(frozen=True)
class Advance:
    """What an evaluation did."""

    judged: int
    moved: int


@dataclass(frozen=True)
class _Place:
    """A customer as the evaluation reads it."""

    pk: int
    touch_model: str
    stage_id: int | None


@transaction.atomic
def move_stage(
    *, actor: User | None, now: datetime, customer: Customer, stage: Stage | None, reason: str = ""
) -> Customer:
    """Forward or back, by hand; each stay is kept with who moved the customer and why."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    fields.check_stage(stage, row.tier)
    if len(reason) > 200:
        raise fields.FieldTooLong(field="reason", limit=200)
    stay = {"how": StageStay.How.HAND, "reason": " ".join(reason.split())}
    change = Change(row, fields.clean({"stage": stage}), stay=stay)
    write_changes([change], actor=actor, now=now, action="customer.move_stage")
    return row


@transaction.atomic
def take_back_move(*, actor: User | None, now: datetime, customer: Customer, stay_id: int) -> None:
    """As if the customer had never been moved into this stay: the one before it goes on."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    stays = list(StageStay.objects.select_for_update().filter(customer=row).order_by("-pk")[:2])
    if not stays or stays[0].pk != stay_id or stays[0].left_on is not None:
        raise MoveTooOld
    before = stays[1] if len(stays) > 1 and stays[1].left_on == stays[0].entered_on else None
    stays[0].delete()
    if before is not None:
        StageStay.objects.filter(pk=before.pk).update(left_on=None)
    values = {
        "stage_id": before.stage_id if before else None,
        "stage_since": before.entered_on if before else None,
    }
    write_changes(
        [Change(row, values, keep_stays=True)],
        actor=actor,
        now=now,
        action="customer.take_back_move",
    )


@transaction.atomic
def tick(
    *, actor: User | None, now: datetime, customer: Customer, key: str, is_done: bool
) -> Advance:
    """Say that something the stage asks for is done (or is not); moves by rule follow at once."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    stay = StageStay.objects.select_for_update().filter(customer=row, left_on=None).first()
    stage = row.stage
    if stay is None or stage is None:
        raise CheckUnknown
    asked = {item.key: item for item in _items(stage) if isinstance(item, calc.Check)}
    if key not in asked:
        raise CheckUnknown
    if (key in stay.checked) == is_done:
        return Advance(0, 0)
    told = dict(stay.checked)
    if is_done:
        told[key] = {"by": actor.name if actor else "", "on": day_of(now).isoformat()}
    else:
        told.pop(key)
    StageStay.objects.filter(pk=stay.pk).update(checked=told)
    record(
        actor=actor,
        now=now,
        action="customer.tick" if is_done else "customer.untick",
        obj=row,
        changes={"criterion": asked[key].zh, "stage": stage.key},
    )
    return advance_journeys(as_of=day_of(now), now=now, customer_ids=[row.pk])


@transaction.atomic
def advance_journeys(
    *,
    as_of: date,
    now: datetime,
    customer_ids: Collection[int] | None = None,
    report: Report | None = None,
) -> Advance:
    """Judge every customer (or some) against its stage: move by rule, note what is proposed.

    Harmless to repeat: after its move a customer is judged from its new stage, and at most once
    a day moves by rule.
    """
    frame = Frame.load()
    plans = {stage.pk: plan_of(stage) for stage in frame.stages.values()}
    journeys: dict[str, list[calc.StagePlan]] = defaultdict(list)
    for stage in frame.stages.values():
        journeys[stage.touch_model].append(plans[stage.pk])
    places = _places(frame, customer_ids)
    keys = {key for stage in frame.stages.values() for key in facts_of(stage)}
    # asked without ids the database reads along its tables instead of looking 100,000 up
    all_facts = None
    if customer_ids is None and len(places) <= AT_ONCE:
        all_facts = by_customer(fact_values(keys, as_of=as_of))
    moved = done = 0
    for part in _batches(places):
        ids = [place.pk for place in part]
        standings = standings_of(ids, keys, as_of, facts=all_facts)
        moved_today = set(
            StageStay.objects.filter(
                customer_id__in=ids, entered_on=as_of, how=StageStay.How.RULE
            ).values_list("customer_id", flat=True)
        )
        steps = {
            place.pk: step
            for place in part
            if (
                step := calc.next_step(
                    plans.get(place.stage_id or 0), journeys[place.touch_model], standings[place.pk]
                )
            )
        }
        due = {pk: s for pk, s in steps.items() if s.by_rule and pk not in moved_today}
        arrived = _move(due, part, frame, now)
        moved += len(arrived)
        _note(
            part,
            steps=steps,
            arrived=arrived,
            standings=standings,
            plans=plans,
            frame=frame,
            as_of=as_of,
        )
        done += len(part)
        if report:
            report(done, len(places))
    return Advance(len(places), moved)


def _places(frame: Frame, customer_ids: Collection[int] | None) -> list[_Place]:
    rows = Customer.objects.present().order_by("pk").values_list("pk", "tier_id", "stage_id")
    if customer_ids is not None:
        rows = rows.filter(pk__in=list(customer_ids))
    found = []
    for pk, tier_id, stage_id in rows.iterator(chunk_size=20_000):
        stage = frame.stages.get(stage_id or 0)
        touch = stage.touch_model if stage else frame.touch_of_tier.get(tier_id or 0, "")
        found.append(_Place(pk, touch, stage_id))
    return found


def _batches(places: Sequence[_Place]) -> Iterator[Sequence[_Place]]:
    for start in range(0, len(places), BATCH):
        yield places[start : start + BATCH]


def standings_of(
    ids: Sequence[int],
    keys: Collection[str],
    as_of: date,
    *,
    facts: Mapping[int, Mapping[str, Any]] | None = None,
) -> dict[int, calc.Standing]:
    """`facts`: those of more customers, where they are in hand already."""
    if facts is None:
        facts = by_customer(fact_values(keys, as_of=as_of, customer_ids=ids))
    open_stays = StageStay.objects.filter(customer_id__in=ids, left_on=None)
    checked = dict(open_stays.values_list("customer_id", "checked"))
    held_off = _held_off(ids, as_of)
    return {
        pk: calc.Standing(facts.get(pk, {}), checked.get(pk, {}), held_off.get(pk, set()))
        for pk in ids
    }


def _held_off(ids: Sequence[int], as_of: date) -> Mapping[int, set[str]]:
    """customer -> stages that a person took it out of lately."""
    since = as_of - timedelta(days=calc.HAND_HOLDS_DAYS)
    lately = StageStay.objects.filter(customer_id__in=ids)
    by_hand = lately.filter(
        how=StageStay.How.HAND, moved_by__isnull=False, entered_on__gt=since
    ).values_list("customer_id", "entered_on", "pk")
    moves: dict[tuple[int, date], int] = {(pk, day): stay for pk, day, stay in by_hand}
    found: dict[int, set[str]] = defaultdict(set)
    if moves:
        left = lately.filter(left_on__gt=since, customer_id__in={pk for pk, _ in moves})
        for pk, day, stay, key in left.values_list("customer_id", "left_on", "pk", "stage__key"):
            if day is not None and moves.get((pk, day), 0) > stay:
                found[pk].add(key)
    return found


def _move(
    due: Mapping[int, calc.Step], part: Sequence[_Place], frame: Frame, now: datetime
) -> dict[int, int]:
    """Write the moves; customer -> the stage it is in now."""
    if not due:
        return {}
    touch = {place.pk: place.touch_model for place in part}
    rows = Customer.objects.select_for_update().filter(pk__in=list(due)).order_by("pk")
    changes = []
    for row in rows:
        step = due[row.pk]
        target = frame.stage_by_key[touch[row.pk], step.to]
        evidence = [_evidence(verdict) for verdict in step.evidence]
        stay = {"how": StageStay.How.RULE, "reason": step.why, "evidence": evidence}
        changes.append(Change(row, {"stage_id": target.pk}, stay=stay))
    written = write_changes(changes, actor=None, now=now, action="customer.move_stage", frame=frame)
    return {change.customer.pk: change.values["stage_id"] for change in written}


def _evidence(verdict: calc.Verdict) -> dict[str, Any]:
    return {**calc.as_json([verdict.item])[0], "found": verdict.found}


def _note(
    part: Sequence[_Place],
    *,
    steps: Mapping[int, calc.Step],
    arrived: Mapping[int, int],
    standings: Mapping[int, calc.Standing],
    plans: Mapping[int, calc.StagePlan],
    frame: Frame,
    as_of: date,
) -> None:
    """Rows of `StageProgress` for customers whose stage asks or aims for anything."""
    rows, bare = [], []
    for place in part:
        stage = frame.stages.get(arrived.get(place.pk, place.stage_id or 0))
        if stage is None:
            bare.append(place.pk)
            continue
        known, plan = standings[place.pk], plans[stage.pk]
        if place.pk in arrived:  # nothing is ticked, and no day spent, in the new stage
            known = calc.Standing({**known.facts, "days_in_stage": 0})
        step = steps.get(place.pk) if place.pk not in arrived else None
        rows.append(
            StageProgress(
                customer_id=place.pk,
                stage_id=stage.pk,
                as_of=as_of,
                facts={k: known.facts[k] for k in facts_of(stage) if k in known.facts},
                is_ready=calc.all_hold(calc.judge(plan.exit, known)),
                suggested=step.to if step is not None else "",
            )
        )
    StageProgress.objects.filter(customer_id__in=bare).delete()
    _save(rows)


# plain SQL: the ORM takes several times as long for the same rows, and a day writes them all
_UPSERT = """
INSERT INTO customers_stageprogress (customer_id, stage_id, as_of, facts, is_ready, suggested)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (customer_id) DO UPDATE SET stage_id = excluded.stage_id, as_of = excluded.as_of,
    facts = excluded.facts, is_ready = excluded.is_ready, suggested = excluded.suggested
"""


def _save(rows: Sequence[StageProgress]) -> None:
    adapt = connection.ops.adapt_datefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            _UPSERT,
            [
                (
                    r.customer_id,
                    r.stage_id,
                    adapt(r.as_of),
                    json.dumps(r.facts),
                    r.is_ready,
                    r.suggested,
                )
                for r in rows
            ],
        )


def _items(stage: Stage) -> list[calc.Item]:
    lists = (stage.entry, stage.exit, stage.process_kpi, stage.outcome_kpi)
    return [item for raw in lists for item in calc.parse_items(raw)]


def refresh_journey(*, now: datetime, customer: Customer) -> None:
    """After a move by hand: what the new stage asks for is known without waiting for the night."""
    if not Customer.objects.filter(pk=customer.pk).exists():
        raise NotFound
    advance_journeys(as_of=day_of(now), now=now, customer_ids=[customer.pk])
    emit("customer.changed", {"customer_ids": [customer.pk]}, now=now)
