"""The stages of the customer journey, per touch model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.models import Customer, Stage, StageStay, TouchModel
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

TEXTS = ("name_zh", "name_en", "expectation_zh", "expectation_en")
NUMBERS = ("expected_days", "longest_days")


class StageInvalid(Refusal):
    code = "stage_invalid"
    message = "A stage needs a key and a name in both languages."


class StageDaysInvalid(Refusal):
    code = "stage_days_invalid"
    message = "The longest stay must not be shorter than the expected one."


class StageInUse(Refusal):
    code = "stage_in_use"
    status = 409
    message = "Customers are or were in this stage."


@transaction.atomic
def create_stage(
    *, actor: User | None, now: datetime, touch_model: str, key: str, values: Mapping[str, Any]
) -> Stage:
    """At the end of the touch model's journey. Values: names, expectations, days."""
    require(actor, "settings.edit")
    others = Stage.objects.filter(touch_model=touch_model)
    if not key or touch_model not in TouchModel.values or others.filter(key=key).exists():
        raise StageInvalid
    last = others.order_by("-position").values_list("position", flat=True).first() or 0
    cleaned = _clean(values, Stage())
    stage = Stage.objects.create(key=key, touch_model=touch_model, position=last + 1, **cleaned)
    record(actor=actor, now=now, action="stage.create", obj=stage)
    return stage


@transaction.atomic
def edit_stage(
    *, actor: User | None, now: datetime, stage: Stage, changes: Mapping[str, Any]
) -> Stage:
    require(actor, "settings.edit")
    row = Stage.objects.select_for_update().filter(pk=stage.pk).first()
    if row is None:
        raise NotFound
    values = _clean(changes, row)
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        Stage.objects.filter(pk=row.pk).update(**values)
        record(actor=actor, now=now, action="stage.edit", obj=row, changes=told)
        row.refresh_from_db()
    return row


@transaction.atomic
def reorder_stages(
    *, actor: User | None, now: datetime, touch_model: str, stages: Sequence[Stage]
) -> None:
    """All stages of the touch model in their new order."""
    require(actor, "settings.edit")
    present = list(Stage.objects.filter(touch_model=touch_model))
    if {stage.pk for stage in stages} != {stage.pk for stage in present} or not present:
        raise NotFound
    before = [stage.key for stage in present]
    for place, stage in enumerate(stages, start=1):
        Stage.objects.filter(pk=stage.pk).update(position=place)
    told = {"order": [before, [stage.key for stage in stages]]}
    record(actor=actor, now=now, action="stage.reorder", obj=stages[0], changes=told)


@transaction.atomic
def delete_stage(*, actor: User | None, now: datetime, stage: Stage) -> None:
    require(actor, "settings.edit")
    used = Customer.objects.filter(stage=stage).exists()
    if used or StageStay.objects.filter(stage=stage).exists():
        raise StageInUse
    record(actor=actor, now=now, action="stage.delete", obj=stage)
    stage.delete()


def _clean(values: Mapping[str, Any], stage: Stage) -> dict[str, Any]:
    cleaned: dict[str, Any] = {name: str(values[name]).strip() for name in TEXTS if name in values}
    for name in NUMBERS:
        if name in values:
            number = values[name]
            if number is not None and not 1 <= int(number) <= 3_650:
                raise StageDaysInvalid
            cleaned[name] = None if number is None else int(number)
    for name in ("name_zh", "name_en"):
        if not 0 < len(cleaned.get(name, getattr(stage, name))) <= 40:
            raise StageInvalid
    expected, longest = (cleaned.get(name, getattr(stage, name)) for name in NUMBERS)
    if expected is not None and longest is not None and longest < expected:
        raise StageDaysInvalid
    return cleaned
