"""Pausing, going on, stopping: an SOP as a whole, or one participant."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.sop.actions.migrating import migrate_runs
from gengyun.sop.models import Run, Sop, SopVersion, StepRun
from gengyun.sop.queries.forms import form_of
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


class SopNotLive(Refusal):
    code = "sop_not_live"
    status = 409
    message = "This SOP does not run."


class SopNotPaused(Refusal):
    code = "sop_not_paused"
    status = 409
    message = "This SOP is not paused."


class RunHasEnded(Refusal):
    code = "sop_run_has_ended"
    status = 409
    message = "This run has ended already."


@transaction.atomic
def pause(*, actor: User | None, now: datetime, sop: Sop) -> Sop:
    """Nobody enters and nobody goes on; waits go on counting."""
    return _turn(actor, now, sop, (Sop.State.LIVE,), Sop.State.PAUSED, SopNotLive)


@transaction.atomic
def resume(*, actor: User | None, now: datetime, sop: Sop) -> Sop:
    return _turn(actor, now, sop, (Sop.State.PAUSED,), Sop.State.LIVE, SopNotPaused)


@transaction.atomic
def stop(*, actor: User | None, now: datetime, sop: Sop) -> Sop:
    """For good: every run ends where it stands. What was made stays: tasks, messages, alerts."""
    found = _turn(
        actor, now, sop, (Sop.State.LIVE, Sop.State.PAUSED), Sop.State.STOPPED, SopNotLive
    )
    Run.objects.active().filter(sop=found).order_by().update(
        state=Run.State.STOPPED, end_reason="sop_stopped", ended_at=now, due_at=None,
        wait_until=None,
    )  # fmt: skip
    return found


def _turn(  # noqa: PLR0917 - said by place twice, in this file
    actor: User | None,
    now: datetime,
    sop: Sop,
    wanted: tuple[Sop.State, ...],
    state: Sop.State,
    refusal: type[Refusal],
) -> Sop:
    require(actor, "sops.edit")
    found = Sop.objects.select_for_update().get(pk=sop.pk)
    if found.state not in wanted:
        raise refusal
    before, found.state, found.changed_at = found.state, state, now
    found.save(update_fields=["state", "changed_at"])
    record(actor=actor, now=now, action=f"sop.{state.value}", obj=found,
           changes={"state": (before, state.value)})  # fmt: skip
    sop.state = found.state
    return found


@transaction.atomic
def migrate(*, actor: User | None, now: datetime, sop: Sop) -> int:
    """Runs on older versions go on with the published one, as far as their step is there."""
    require(actor, "sops.edit")
    version = SopVersion.objects.filter(sop=sop, state=SopVersion.State.PUBLISHED).first()
    if version is None:
        raise SopNotLive
    moved = migrate_runs(version, now=now)
    record(actor=actor, now=now, action="sop.migrated", obj=sop, changes={"runs": (None, moved)})
    return moved


@transaction.atomic
def stop_run(*, actor: User | None, now: datetime, run: Run, reason: str = "stopped") -> Run:
    """One participant goes no further; the line says who stopped it."""
    require(actor, "sops.start")
    found = Run.objects.visible_to(actor).select_for_update().filter(pk=run.pk).first()
    if found is None:
        raise NotFound
    if found not in Run.objects.active().filter(pk=run.pk):
        raise RunHasEnded
    step = form_of(found.version).steps.get(found.step_key)
    StepRun.objects.create(
        run=found,
        step_key=found.step_key,
        ordinal=found.step_count,
        kind=step.kind if step else "stop",
        state=StepRun.State.SKIPPED,
        at=now,
        reason=reason,
        told={"by": actor.name} if actor else {},
    )
    Run.objects.filter(pk=found.pk).update(
        state=Run.State.STOPPED, end_reason=reason, ended_at=now, due_at=None, wait_until=None,
        step_count=F("step_count") + 1,
    )  # fmt: skip
    record(actor=actor, now=now, action="sop.run_stopped", obj=found)
    found.refresh_from_db()
    return found
