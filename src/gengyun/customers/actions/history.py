"""Writing customer rows together with what must follow: history of fields, stays, tier, audit.

Every action that changes a customer goes through `write_new` and `write_changes`; both are bulk,
so that one form and an import of twenty thousand rows take the same path.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from gengyun.customers.calc.company_names import name_key
from gengyun.customers.calc.tiering import FIELDS as TIERING_FIELDS
from gengyun.customers.calc.tiering import Rule, tier_for
from gengyun.customers.models import Customer, FieldChange, Stage, StageStay, Tier
from gengyun.customers.models.customer import TRACKED_FIELDS
from gengyun.customers.queries.tiers import active_rules
from gengyun.kernel import rows
from gengyun.kernel.days import day_of
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User

BATCH = 1_000


class Frame:
    """What a batch of changes needs to know of tiers and stages, read once and when asked for:
    most changes of one customer touch neither."""

    @classmethod
    def load(cls) -> "Frame":
        return cls()

    @cached_property
    def rules(self) -> list[Rule]:
        return active_rules()

    @cached_property
    def touch_of_tier(self) -> dict[int, str]:
        return dict(Tier.objects.values_list("pk", "touch_model"))

    @cached_property
    def stages(self) -> dict[int, Stage]:
        return {stage.pk: stage for stage in Stage.objects.all()}

    @cached_property
    def stage_by_key(self) -> dict[tuple[str, str], Stage]:
        return {(stage.touch_model, stage.key): stage for stage in self.stages.values()}


@dataclass
class Change:
    """New values of one customer; `told` collects what in fact changed: field -> [old, new]."""

    customer: Customer
    values: dict[str, Any]
    known_at: datetime | None = None  # for values unknown until now; the others are known now
    told: dict[str, list[Any]] = field(default_factory=dict)
    # of the stay that begins, where the stage changes: how, reason, evidence
    stay: Mapping[str, Any] = field(default_factory=dict)
    keep_stays: bool = False  # the caller has put the stays right


def write_new(
    customers: Sequence[Customer], *, actor: User | None, now: datetime, frame: Frame | None = None
) -> None:
    """Insert customers (with `known_at` set), their first field values, stays, audit, events."""
    frame = frame or Frame.load()
    for customer in customers:
        customer.name_key = name_key(customer.name)
        if customer.tier_id is None:
            customer.tier_id = tier_for(_tiering_values(customer), frame.rules)
        if customer.stage_id is not None and customer.stage_since is None:
            customer.stage_since = day_of(customer.known_at)
    Customer.objects.bulk_create(customers, batch_size=BATCH)
    FieldChange.objects.bulk_create(
        [
            FieldChange(
                customer=customer, field=name, value=_json(value), known_at=customer.known_at
            )
            for customer in customers
            for name in TRACKED_FIELDS
            if (value := getattr(customer, name)) not in (None, "")
        ],
        batch_size=BATCH,
    )
    StageStay.objects.bulk_create(
        [
            StageStay(
                customer=c,
                stage_id=c.stage_id,
                entered_on=c.stage_since,
                how=StageStay.How.START,
                moved_by=actor,
            )
            for c in customers
            if c.stage_id is not None and c.stage_since is not None
        ],
        batch_size=BATCH,
    )
    record_many(
        actor=actor,
        now=now,
        action="customer.create",
        changes=[(c, {"external_id": [None, c.external_id]}) for c in customers],
    )
    ids = [customer.pk for customer in customers]
    if ids:
        created = {"customer_ids": ids, "external_ids": [c.external_id for c in customers]}
        emit("customer.created", created, now=now)
        emit("customer.changed", {"customer_ids": ids}, now=now)


def write_changes(
    changes: Iterable[Change],
    *,
    actor: User | None,
    now: datetime,
    action: str,
    frame: Frame | None = None,
    quiet: bool = False,
) -> list[Change]:
    """Update customers; returns the changes that changed something. `quiet`: no event yet."""
    frame = frame or Frame.load()
    done = [change for change in changes if _apply(change, frame, now)]
    if not done:
        return []
    columns = sorted({name for change in done for name in change.told} | {"updated_at", "name_key"})
    names = [Customer._meta.get_field(name).name for name in columns]  # noqa: SLF001 - documented
    rows.update(Customer, [change.customer for change in done], names)
    rows.insert_values(
        FieldChange,
        ("customer_id", "field", "value", "known_at"),
        [
            (change.customer.pk, name, _json(new), _known_at(change, name, old, now))
            for change in done
            for name, (old, new) in change.told.items()
            if name in TRACKED_FIELDS
        ],
    )
    _write_stays(done, frame, now, actor)
    record_many(
        actor=actor,
        now=now,
        action=action,
        changes=[(change.customer, readable(change.told)) for change in done],
    )
    if not quiet:
        emit("customer.changed", {"customer_ids": [c.customer.pk for c in done]}, now=now)
    return done


def readable(told: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """For the audit log: the name of what is changed, without the database's `_id`."""
    return {
        name.removesuffix("_id") if name != "external_id" else name: pair
        for name, pair in told.items()
    }


def _apply(change: Change, frame: Frame, now: datetime) -> bool:
    customer, told = change.customer, change.told
    for name, new in change.values.items():
        _set(customer, told, name, new)
    rules_may_move = customer.tier_set_by_id is None and "tier_id" not in change.values
    if rules_may_move and not told.keys().isdisjoint(TIERING_FIELDS):
        tier_id = tier_for(_tiering_values(customer), frame.rules)
        if tier_id is not None:
            _set(customer, told, "tier_id", tier_id)
    if "tier_id" in told:
        _follow_touch_model(change, frame)
    if "stage_id" in told and "stage_since" not in change.values:
        same_key = _same_stage(told["stage_id"], frame)
        if not same_key:
            _set(customer, told, "stage_since", day_of(now) if customer.stage_id else None)
    if told:
        customer.updated_at = now
        customer.name_key = name_key(customer.name)
    return bool(told)


def _set(customer: Customer, told: dict[str, list[Any]], name: str, new: Any) -> None:
    old = getattr(customer, name)
    if old == new:
        return
    setattr(customer, name, new)
    first = told.get(name, [old])[0]
    if first == new:
        told.pop(name, None)
    else:
        told[name] = [first, new]


def _follow_touch_model(change: Change, frame: Frame) -> None:
    """In another touch model the same stage has another row; the stay goes on."""
    customer = change.customer
    stage = frame.stages.get(customer.stage_id or 0)
    touch = frame.touch_of_tier.get(customer.tier_id or 0)
    if stage is None or touch is None or stage.touch_model == touch:
        return
    twin = frame.stage_by_key.get((touch, stage.key))
    if twin is not None:
        _set(customer, change.told, "stage_id", twin.pk)


def _same_stage(pair: Sequence[int | None], frame: Frame) -> bool:
    old, new = frame.stages.get(pair[0] or 0), frame.stages.get(pair[1] or 0)
    return old is not None and new is not None and old.key == new.key


def _write_stays(done: Sequence[Change], frame: Frame, now: datetime, actor: User | None) -> None:
    moved = [change for change in done if "stage_id" in change.told and not change.keep_stays]
    if not moved:
        return
    today = day_of(now)
    kept = [change for change in moved if _same_stage(change.told["stage_id"], frame)]
    ended = [change for change in moved if not _same_stage(change.told["stage_id"], frame)]
    for change in kept:
        StageStay.objects.filter(customer=change.customer, left_on__isnull=True).update(
            stage_id=change.customer.stage_id
        )
    for start in range(0, len(ended), BATCH):
        ids = [change.customer.pk for change in ended[start : start + BATCH]]
        StageStay.objects.filter(customer_id__in=ids, left_on__isnull=True).update(left_on=today)
    StageStay.objects.bulk_create(
        [
            StageStay(
                customer=change.customer,
                stage_id=change.customer.stage_id,
                entered_on=change.customer.stage_since or today,
                moved_by=actor,
                **change.stay,
            )
            for change in ended
            if change.customer.stage_id is not None
        ],
        batch_size=BATCH,
    )


def _known_at(change: Change, name: str, old: Any, now: datetime) -> datetime:
    """A value that replaces a known one is known from now: the past is never rewritten."""
    was_unknown = old in (None, "")
    if change.known_at is not None and was_unknown and name not in {"tier_id", "stage_id"}:
        return max(change.known_at, change.customer.known_at)
    return now


def _tiering_values(customer: Customer) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in TIERING_FIELDS}


def _json(value: Any) -> Any:
    if value == "":
        return None
    return value.isoformat() if isinstance(value, date) else value
