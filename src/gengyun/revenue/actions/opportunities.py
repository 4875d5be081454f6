"""Opportunities: open, edit, move, win, lose, reopen. Every change is kept with who and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.revenue.calc.opportunities import ValueBad, clean
from gengyun.revenue.models import Line, Opportunity, OpportunityChange, OpportunityStage
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

FIELDS = frozenset(
    {
        "kind", "name", "product", "amount_minor", "currency", "expected_on", "next_step",
        "next_step_on", "owner", "source", "note",
    }
)  # fmt: skip
CAPABILITY = "opportunity.edit"


class OpportunityValueBad(Refusal):
    code = "opportunity_value_bad"
    message = "%(field)s: this value cannot be used (%(reason)s)."


class OpportunityClosed(Refusal):
    code = "opportunity_closed"
    status = 409
    message = "This opportunity is closed; open it again first."


class OpportunityNotOpenStage(Refusal):
    """Winning and losing say more than a stage: a line, or a reason."""

    code = "opportunity_stage_closes"
    message = "Winning or losing is not a move: say what was signed, or why it was lost."


class LossReasonMissing(Refusal):
    code = "loss_reason_missing"
    message = "Say why it was lost."


class WonHasLine(Refusal):
    code = "opportunity_won_has_line"
    status = 409
    message = "A line of a contract came of it; correct the contract instead."


class LineOfAnother(Refusal):
    code = "opportunity_line_of_another"
    message = "This line belongs to another customer, or to another opportunity."


@dataclass(frozen=True)
class _By:
    """Who changes something, when and why."""

    actor: User | None
    now: datetime
    why: str = ""


def create_opportunity(
    *, actor: User | None, now: datetime, customer: Customer, values: Mapping[str, Any]
) -> Opportunity:
    """`name` and `kind` are needed; `stage` defaults to the first, `owner` to the customer's."""
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = mine(actor, customer)
        given = {"name": "", "kind": None, **values}
        stage = given.pop("stage", None) or first_stage()
        _refuse_closing(stage)
        cleaned = _clean(given)
        cleaned.setdefault("owner", row.owner or actor)
        cleaned.setdefault("currency", row.currency)
        made = Opportunity.objects.create(
            customer=row,
            stage=stage,
            created_by=actor,
            created_at=now,
            updated_at=now,
            **cleaned,
        )
        _keep(made, "stage", (None, stage.key), _By(actor, now))
        told = {"name": [None, made.name], "customer": [None, row.name]}
        record(actor=actor, now=now, action="opportunity.create", obj=made, changes=told)
        _tell(made, now)
        return made


def edit_opportunity(
    *,
    actor: User | None,
    now: datetime,
    opportunity: Opportunity,
    changes: Mapping[str, Any],
    why: str = "",
) -> Opportunity:
    """Change plain fields; a closed one keeps what it said."""
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = _mine_open(actor, opportunity)
        return _write(row, _clean(changes), "opportunity.edit", _By(actor, now, why))


def move_opportunity(
    *,
    actor: User | None,
    now: datetime,
    opportunity: Opportunity,
    stage: OpportunityStage,
    why: str = "",
) -> Opportunity:
    """Into another open stage, forward or back."""
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = _mine_open(actor, opportunity)
        _refuse_closing(stage)
        return _write(row, {"stage": stage}, "opportunity.move", _By(actor, now, why))


def lose_opportunity(
    *, actor: User | None, now: datetime, opportunity: Opportunity, reason: str
) -> Opportunity:
    """Nothing came of it, and why."""
    require(actor, CAPABILITY)
    if not reason.strip():
        raise LossReasonMissing
    with transaction.atomic():
        row = _mine_open(actor, opportunity)
        values = _clean({"loss_reason": reason})
        values |= {"stage": _closing(is_won=False), "closed_on": day_of(now)}
        return _write(row, values, "opportunity.lose", _By(actor, now, reason.strip()))


def win_opportunity(
    *,
    actor: User | None,
    now: datetime,
    opportunity: Opportunity,
    line: Line | None,
    closed_on: date | None = None,
) -> Opportunity:
    """Won. `line` is the line of a contract that came of it: its movement is already in the ledger.

    Without a line it is won on somebody's word: the contract is still to be entered (`link_line`),
    and until then no ARR comes of it.
    """
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = _mine_open(actor, opportunity)
        values: dict[str, Any] = {
            "stage": _closing(is_won=True),
            "closed_on": closed_on or day_of(now),
        }
        if line is not None:
            values["won_line"] = _own_line(row, line)
        return _write(row, values, "opportunity.win", _By(actor, now))


def link_line(
    *, actor: User | None, now: datetime, opportunity: Opportunity, line: Line
) -> Opportunity:
    """The contract of a won opportunity has come: which of its lines is it?"""
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = _mine(actor, opportunity)
        if not row.stage.is_won:
            raise OpportunityClosed
        if row.won_line_id is not None:
            raise WonHasLine
        values = {"won_line": _own_line(row, line)}
        return _write(row, values, "opportunity.link_line", _By(actor, now))


def reopen_opportunity(
    *,
    actor: User | None,
    now: datetime,
    opportunity: Opportunity,
    stage: OpportunityStage | None = None,
) -> Opportunity:
    """Back into the stage it came from (or `stage`); one with a line of a contract stays won."""
    require(actor, CAPABILITY)
    with transaction.atomic():
        row = _mine(actor, opportunity)
        if row.won_line_id is not None:
            raise WonHasLine
        if not (row.stage.is_won or row.stage.is_lost):
            return row
        back = stage or stage_before(row)
        _refuse_closing(back)
        values = {"stage": back, "closed_on": None, "loss_reason": ""}
        return _write(row, values, "opportunity.reopen", _By(actor, now))


def stage_before(row: Opportunity) -> OpportunityStage:
    """The open stage it was in last; the first one where that is gone."""
    changes = OpportunityChange.objects.filter(opportunity=row, field="stage")
    for old in changes.order_by("-at", "-pk").values_list("old", flat=True):
        found = OpportunityStage.objects.filter(key=old, is_won=False, is_lost=False).first()
        if found is not None:
            return found
    return first_stage()


def first_stage() -> OpportunityStage:
    found = OpportunityStage.objects.filter(is_won=False, is_lost=False).first()
    if found is None:
        raise NotFound
    return found


def _closing(*, is_won: bool) -> OpportunityStage:
    found = OpportunityStage.objects.filter(is_won=is_won, is_lost=not is_won).first()
    if found is None:
        raise NotFound
    return found


def _mine(actor: User | None, opportunity: Opportunity) -> Opportunity:
    rows = Opportunity.objects.visible_to(actor).select_for_update(of=("self",))
    found = rows.select_related("stage", "customer").filter(pk=opportunity.pk).first()
    if found is None:
        raise NotFound
    assert isinstance(found, Opportunity)  # noqa: S101 - the query set is shared by several models
    return found


def _mine_open(actor: User | None, opportunity: Opportunity) -> Opportunity:
    row = _mine(actor, opportunity)
    if row.stage.is_won or row.stage.is_lost:
        raise OpportunityClosed
    return row


def _own_line(row: Opportunity, line: Line) -> Line:
    """A line answers one opportunity, of its own customer."""
    taken = Opportunity.objects.filter(won_line=line).exclude(pk=row.pk).exists()
    if taken or line.customer_id != row.customer_id or line.voided_at is not None:
        raise LineOfAnother
    return line


def _refuse_closing(stage: OpportunityStage) -> None:
    if stage.is_won or stage.is_lost:
        raise OpportunityNotOpenStage


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    for name in values:
        if name not in FIELDS and name != "loss_reason":
            raise OpportunityValueBad(field=name, reason="unknown")
    try:
        return clean(values)
    except ValueBad as error:
        raise OpportunityValueBad(field=error.field, reason=error.reason) from error


def _write(row: Opportunity, values: Mapping[str, Any], action: str, by: _By) -> Opportunity:
    told = {
        name: [_plain(getattr(row, name)), _plain(value)]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if not told:
        return row
    for name in told:
        setattr(row, name, values[name])
    row.updated_at = by.now
    row.save(update_fields=[*told, "updated_at"])
    for name, (old, new) in told.items():
        _keep(row, name, (old, new), by)
    record(actor=by.actor, now=by.now, action=action, obj=row, changes=told)
    _tell(row, by.now)
    return row


def _keep(row: Opportunity, name: str, change: tuple[Any, Any], by: _By) -> None:
    OpportunityChange.objects.create(
        opportunity=row,
        at=by.now,
        actor=by.actor,
        field=name,
        old=change[0],
        new=change[1],
        why=by.why[:500],
    )


def _plain(value: Any) -> Any:
    """As JSON keeps it: days as text, stages by key, other rows by id."""
    if isinstance(value, OpportunityStage):
        return value.key
    if hasattr(value, "pk"):
        return value.pk
    return value.isoformat() if hasattr(value, "isoformat") else value


def _tell(row: Opportunity, now: datetime) -> None:
    emit("opportunity.changed", {"customer_ids": [row.customer_id]}, now=now)
