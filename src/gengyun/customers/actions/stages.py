"""The stages of the customer journey, per touch model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.calc import journeys
from gengyun.customers.models import Customer, Stage, StageStay, TouchModel
from gengyun.customers.queries.facts import known_facts
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

TEXTS = ("name_zh", "name_en", "expectation_zh", "expectation_en", "work_zh", "work_en")
NUMBERS = ("expected_days", "longest_days")
LISTS = ("process_kpi", "outcome_kpi", "entry", "exit")  # of criteria, see calc.journeys
FLAGS = ("is_entered_by_rule", "is_left_by_rule")


class StageInvalid(Refusal):
    code = "stage_invalid"
    message = "A stage needs a key and a name in both languages."


class StageDaysInvalid(Refusal):
    code = "stage_days_invalid"
    message = "The longest stay must not be shorter than the expected one."


class CriterionInvalid(Refusal):
    """`list`: one of LISTS; `problem`: a code of `calc.journeys`, or fact_unknown."""

    code = "criterion_invalid"
    message = "A condition is not complete."


class RuleWithoutCriteria(Refusal):
    code = "rule_without_criteria"
    message = "Without conditions nobody can be moved by rule."


class ExitUnknown(Refusal):
    code = "exit_unknown"
    message = "The next stage must be another stage of this journey."


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
    cleaned = _clean(values, Stage(touch_model=touch_model, key=key))
    stage = Stage.objects.create(
        key=key, touch_model=touch_model, position=last + 1, is_tuned=True, **cleaned
    )
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
        Stage.objects.filter(pk=row.pk).update(**values, is_tuned=True)
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
    _clean_rules(values, stage, cleaned)
    return cleaned


def _clean_rules(values: Mapping[str, Any], stage: Stage, cleaned: dict[str, Any]) -> None:
    facts = known_facts() if any(values.get(name) for name in LISTS) else {}
    for name in LISTS:
        if name in values:
            cleaned[name] = _clean_list(name, values[name], getattr(stage, name), facts)
    for name in FLAGS:
        if name in values:
            cleaned[name] = bool(values[name])
    for flag, name in (("is_entered_by_rule", "entry"), ("is_left_by_rule", "exit")):
        if cleaned.get(flag, getattr(stage, flag)) and not cleaned.get(name, getattr(stage, name)):
            raise RuleWithoutCriteria(list=name)
    if values.get("exit_to"):
        others = Stage.objects.filter(touch_model=stage.touch_model).exclude(key=stage.key)
        if not others.filter(key=values["exit_to"]).exists():
            raise ExitUnknown
    if "exit_to" in values:
        cleaned["exit_to"] = values["exit_to"] or ""


def _clean_list(
    name: str, raw: Any, before: list[Any], facts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Facts must be on the menu; one that has gone from it may stay where it was."""
    try:
        items = journeys.parse_items(raw)
    except ValueError as error:
        raise CriterionInvalid(list=name, problem=str(error)) from error
    kept = {entry.get("fact") for entry in before}
    for item in items:
        if (
            isinstance(item, journeys.Criterion)
            and item.fact not in facts
            and item.fact not in kept
        ):
            raise CriterionInvalid(list=name, problem="fact_unknown")
    return journeys.as_json(items)
