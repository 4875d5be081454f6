"""The stages of opportunities: those a deployment starts with, and how a company changes them.

The two that close, won and lost, can be named but neither moved nor removed: actions go by them.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.models import Opportunity, OpportunityStage
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

CAPABILITY = "settings.edit"
FULL_BP = 10_000
LONGEST = 60
MOST = 20  # columns of a board

# key, Chinese, English, probability in basis points, won, lost. The probabilities are a beginning,
# not a measurement: the share of won ones per stage is what a company knows after a year.
STAGES = [
    ("found", "发现机会", "Found", 1000, False, False),
    ("qualified", "需求确认", "Need confirmed", 2500, False, False),
    ("proposal", "方案报价", "Proposal", 5000, False, False),
    ("negotiation", "商务谈判", "Negotiation", 7500, False, False),
    ("won", "已成交", "Won", 10_000, True, False),
    ("lost", "未成交", "Lost", 0, False, True),
]


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Create the default stages where there is none; returns how many."""
    if OpportunityStage.objects.exists():
        return 0
    OpportunityStage.objects.bulk_create(
        [
            OpportunityStage(
                key=key,
                name_zh=zh,
                name_en=en,
                position=(place + 1) * 10,
                probability_bp=probability,
                is_won=is_won,
                is_lost=is_lost,
            )
            for place, (key, zh, en, probability, is_won, is_lost) in enumerate(STAGES)
        ]
    )
    return len(STAGES)


class StageNameMissing(Refusal):
    code = "opportunity_stage_name"
    message = "A stage needs a name in Chinese and in English, of at most 60 characters each."


class StageNameTaken(Refusal):
    code = "opportunity_stage_taken"
    message = "There is already a stage called %(name)s."


class StageProbabilityBad(Refusal):
    code = "opportunity_stage_probability"
    message = "A probability is between 0 and 100 %%."


class StageCloses(Refusal):
    code = "opportunity_stage_closes"
    status = 409
    message = "The stages won and lost stay where they are, at 100 and 0 %%."


class StageInUse(Refusal):
    code = "opportunity_stage_in_use"
    status = 409
    message = "%(count)s opportunities are in this stage; move them to another one first."


class LastOpenStage(Refusal):
    code = "opportunity_stage_last"
    status = 409
    message = "One open stage is needed: new opportunities begin in it."


class TooManyStages(Refusal):
    code = "opportunity_stage_many"
    message = "A board holds at most %(most)s stages."


@transaction.atomic
def create_stage(
    *, actor: User | None, now: datetime, name_zh: str, name_en: str, probability_bp: int
) -> OpportunityStage:
    """A further open stage, after the other open ones."""
    require(actor, CAPABILITY)
    rows = _locked()
    if len(rows) >= MOST:
        raise TooManyStages(most=MOST)
    values = _checked(rows, None, name_zh, name_en, probability_bp)
    key = re.sub(r"[^a-z0-9]+", "-", values["name_en"].lower()).strip("-")[:32] or "stage"
    taken = {row.key for row in rows}
    number = 2
    while key in taken:
        key, number = f"{key.rstrip('0123456789').rstrip('-')}-{number}", number + 1
    last = OpportunityStage.objects.aggregate(last=Max("position"))["last"] or 0
    made = OpportunityStage.objects.create(key=key, position=last + 1, **values)
    _order([*(row for row in rows if _is_open(row)), made], rows)
    told = {name: [None, value] for name, value in values.items()}
    record(actor=actor, now=now, action="opportunity_stage.create", obj=made, changes=told)
    made.refresh_from_db()
    return made


@transaction.atomic
def edit_stage(
    *,
    actor: User | None,
    now: datetime,
    stage: OpportunityStage,
    name_zh: str,
    name_en: str,
    probability_bp: int,
) -> OpportunityStage:
    """Other names, another probability. What opportunities said before stays said."""
    require(actor, CAPABILITY)
    rows = _locked()
    row = _of(rows, stage)
    if not _is_open(row) and probability_bp != row.probability_bp:
        raise StageCloses
    values = _checked(rows, row, name_zh, name_en, probability_bp)
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        OpportunityStage.objects.filter(pk=row.pk).update(**values)
        record(actor=actor, now=now, action="opportunity_stage.edit", obj=row, changes=told)
        row.refresh_from_db()
    return row


@transaction.atomic
def raise_stage(*, actor: User | None, now: datetime, stage: OpportunityStage) -> None:
    """One place earlier among the open ones."""
    require(actor, CAPABILITY)
    rows = _locked()
    row = _of(rows, stage)
    if not _is_open(row):
        raise StageCloses
    opened = [one for one in rows if _is_open(one)]
    at = opened.index(row)
    if at:
        opened[at - 1], opened[at] = opened[at], opened[at - 1]
        _order(opened, rows)
        told = {"place": [at + 1, at]}
        record(actor=actor, now=now, action="opportunity_stage.move", obj=row, changes=told)


@transaction.atomic
def delete_stage(*, actor: User | None, now: datetime, stage: OpportunityStage) -> None:
    """Only one that no opportunity is in; the record of changes keeps its key."""
    require(actor, CAPABILITY)
    rows = _locked()
    row = _of(rows, stage)
    if not _is_open(row):
        raise StageCloses
    if count := Opportunity.objects.filter(stage=row).count():
        raise StageInUse(count=count)
    if sum(map(_is_open, rows)) == 1:
        raise LastOpenStage
    told = {"name_zh": [row.name_zh, None], "name_en": [row.name_en, None]}
    record(actor=actor, now=now, action="opportunity_stage.delete", obj=row, changes=told)
    row.delete()


def _locked() -> list[OpportunityStage]:
    return list(OpportunityStage.objects.select_for_update().order_by("position", "pk"))


def _is_open(row: OpportunityStage) -> bool:
    return not (row.is_won or row.is_lost)


def _of(rows: list[OpportunityStage], stage: OpportunityStage) -> OpportunityStage:
    for row in rows:
        if row.pk == stage.pk:
            return row
    raise NotFound


def _checked(
    rows: list[OpportunityStage],
    row: OpportunityStage | None,
    name_zh: str,
    name_en: str,
    probability_bp: int,
) -> dict[str, Any]:
    names: Mapping[str, str] = {"name_zh": name_zh.strip(), "name_en": name_en.strip()}
    if not all(0 < len(name) <= LONGEST for name in names.values()):
        raise StageNameMissing
    for other in rows:
        if row is not None and other.pk == row.pk:
            continue
        for field, name in names.items():
            if getattr(other, field).casefold() == name.casefold():
                raise StageNameTaken(name=name)
    if not 0 <= probability_bp <= FULL_BP:
        raise StageProbabilityBad
    return {**names, "probability_bp": probability_bp}


def _order(opened: list[OpportunityStage], rows: list[OpportunityStage]) -> None:
    """The open ones in this order, then those that close."""
    closed = [row for row in rows if not _is_open(row)]
    for place, row in enumerate([*opened, *closed]):
        row.position = (place + 1) * 10
        row.save(update_fields=["position"])
