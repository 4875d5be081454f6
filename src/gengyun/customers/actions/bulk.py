"""The same verbs for many customers at once; each returns what was there before, for undo."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions import fields, governed
from gengyun.customers.actions.custom_values import usable_fields, write_values
from gengyun.customers.actions.customers import DayPast, ReasonMissing
from gengyun.customers.actions.history import Change, Frame, write_changes
from gengyun.customers.actions.scope import all_mine
from gengyun.customers.calc.custom import PREFIX, as_json, from_json
from gengyun.customers.models import Customer, CustomField, StageStay, Tier
from gengyun.customers.queries.custom_fields import values_of
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.team.models import User
from gengyun.team.queries.access import require

# what makes sense to be the same for many: no names, ids or parents
SHARED = frozenset(
    {
        "industry",
        "region",
        "edition",
        "arr_minor",
        "currency",
        "seats",
        "started_on",
        "renews_on",
        "next_step",
        "next_step_on",
    }
)
TIER = ("tier_id", "tier_set_by_id", "tier_reason", "tier_until")
Wanted = Mapping[int, Mapping[str, Any]]  # customer id -> field -> value
Held = dict[int, dict[str, Any]]  # the same, as it was, fit for JSON


class StageNotThere(Refusal):
    code = "stage_not_there"
    message = "%(count)s of them have a journey without this stage; nothing was changed."


@transaction.atomic
def edit_each(*, actor: User | None, now: datetime, wanted: Wanted) -> Held:
    """Change fields of customers, built-in ones and custom ones ("custom_" and key).

    Returns the old values of those that changed; given back to `edit_each` (see `from_held`) they
    are as before.
    """
    require(actor, "customer.edit")
    names = {name for values in wanted.values() for name in values}
    custom = {name for name in names if name.startswith(PREFIX)}
    for name in sorted(names - custom):
        if name not in SHARED:
            raise fields.FieldUnknown(field=name)
    rows = all_mine(actor, [Customer(pk=pk) for pk in wanted])
    held = _edit_built_in(rows, wanted, actor=actor, now=now)
    if custom:
        for pk, values in _edit_custom(rows, wanted, custom, actor=actor, now=now).items():
            held.setdefault(pk, {}).update(values)
    return held


def _edit_built_in(
    rows: list[Customer], wanted: Wanted, *, actor: User | None, now: datetime
) -> Held:
    changes = [
        Change(row, fields.clean({n: v for n, v in wanted[row.pk].items() if n in SHARED}))
        for row in rows
    ]
    governed.refuse_changes(rows, {change.customer.pk: change.values for change in changes})
    done = write_changes(changes, actor=actor, now=now, action="customer.edit")
    return {
        change.customer.pk: {
            name: as_json(old) for name, (old, _) in change.told.items() if name in SHARED
        }
        for change in done
    }


def _edit_custom(
    rows: list[Customer],
    wanted: Wanted,
    names: set[str],
    *,
    actor: User | None,
    now: datetime,
) -> Held:
    usable = usable_fields(name.removeprefix(PREFIX) for name in names)
    values = {
        pk: {n.removeprefix(PREFIX): v for n, v in row.items() if n in names}
        for pk, row in wanted.items()
    }
    before = values_of(list(wanted), list(usable.values()))
    write_values(rows, values, fields=usable, actor=actor, now=now)
    held: Held = {}
    for pk, given in values.items():
        old = before.get(pk, {})
        held[pk] = {
            PREFIX + key: as_json(old.get(key)) for key, new in given.items() if old.get(key) != new
        }
    return {pk: old for pk, old in held.items() if old}


def from_held(held: Mapping[Any, Mapping[str, Any]], custom: Mapping[str, CustomField]) -> Held:
    """Old values as they came back from JSON, in their own types; `custom` by name."""

    def typed(name: str, value: Any) -> Any:
        if name in custom:
            return from_json(custom[name].kind, value)
        return date.fromisoformat(value) if name in fields.DAYS and value else value

    return {
        int(pk): {name: typed(name, value) for name, value in old.items()}
        for pk, old in held.items()
    }


@transaction.atomic
def set_tier_for_many(
    *,
    actor: User,
    now: datetime,
    customers: list[Customer],
    tier: Tier,
    reason: str,
    until: date | None = None,
) -> Held:
    """By hand, for each of them: the rules leave them alone until the day `until` begins."""
    require(actor, "customer.assign")
    if not reason.strip():
        raise ReasonMissing
    if until is not None and until <= day_of(now):
        raise DayPast(day=until.isoformat())
    values = fields.clean({"tier": tier, "tier_reason": reason, "tier_until": until})
    values["tier_set_by_id"] = actor.pk
    return _place(all_mine(actor, customers), lambda _row: values, actor=actor, now=now)


@transaction.atomic
def put_tiers_back(*, actor: User | None, now: datetime, held: Mapping[Any, Any]) -> None:
    """What `set_tier_for_many` returned, as it was: the rule's tier or another hand's."""
    require(actor, "customer.assign")
    rows = all_mine(actor, [Customer(pk=int(pk)) for pk in held])

    def values(row: Customer) -> dict[str, Any]:
        old = dict(held.get(row.pk) or held[str(row.pk)])
        until = old.get("tier_until")
        if until:
            old["tier_until"] = date.fromisoformat(until)
        return old

    _place(rows, values, actor=actor, now=now)


def _place(rows: list[Customer], values: Any, *, actor: User | None, now: datetime) -> Held:
    held = {row.pk: {name: as_json(getattr(row, name)) for name in TIER} for row in rows}
    changes = [Change(row, values(row)) for row in rows]
    done = write_changes(changes, actor=actor, now=now, action="customer.set_tier")
    changed = {change.customer.pk for change in done}
    return {pk: old for pk, old in held.items() if pk in changed}


@transaction.atomic
def move_many(
    *, actor: User | None, now: datetime, customers: list[Customer], stage_key: str | None
) -> Held:
    """To the stage of this key in each one's own journey; refused whole where one has none."""
    require(actor, "customer.edit")
    frame = Frame.load()
    wanted: dict[int, int | None] = {}
    rows = all_mine(actor, customers)
    for row in rows:
        touch = frame.touch_of_tier.get(row.tier_id or 0, "")
        stage = frame.stage_by_key.get((touch, stage_key)) if stage_key else None
        if stage_key is None or stage is not None:
            wanted[row.pk] = stage.pk if stage else None
    if len(wanted) < len(rows):
        raise StageNotThere(count=len(rows) - len(wanted))
    return _move(rows, wanted, frame, actor=actor, now=now)


@transaction.atomic
def move_each(*, actor: User | None, now: datetime, wanted: Mapping[Any, Any]) -> None:
    """Back to the stages that `move_many` returned; the stay in between is kept in the history."""
    require(actor, "customer.edit")
    rows = all_mine(actor, [Customer(pk=int(pk)) for pk in wanted])
    stages = {int(pk): old["stage_id"] for pk, old in wanted.items()}
    _move(rows, stages, Frame.load(), actor=actor, now=now)


def _move(
    rows: list[Customer],
    wanted: Mapping[int, int | None],
    frame: Frame,
    *,
    actor: User | None,
    now: datetime,
) -> Held:
    held = {row.pk: {"stage_id": row.stage_id} for row in rows}
    stay = {"how": StageStay.How.HAND, "reason": ""}
    done = write_changes(
        [Change(row, {"stage_id": wanted[row.pk]}, stay=stay) for row in rows],
        actor=actor,
        now=now,
        action="customer.move_stage",
        frame=frame,
    )
    changed = {change.customer.pk for change in done}
    return {pk: old for pk, old in held.items() if pk in changed}
