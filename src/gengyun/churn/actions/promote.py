"""Which model speaks: the first at once, later ones when they have shown that they are better."""

from datetime import datetime

from django.db import transaction

from gengyun.churn.calc.guard import Verdict
from gengyun.churn.models import ChurnModel, ModelState
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


class ModelNotWaiting(Refusal):
    code = "churn_model_not_waiting"
    status = 409
    message = "Only a challenger can be put into use."


class ModelOutdated(Refusal):
    code = "churn_model_outdated"
    status = 409
    message = "A newer model is in use; this one knows less."


@transaction.atomic
def promote(*, actor: User | None, now: datetime, model: ChurnModel, why: str) -> ChurnModel:
    """Put a challenger into use. A person may do it against the guard, and the audit log says so.

    Nothing is scored again: the next night speaks with the new model.
    """
    require(actor, "settings.edit")
    row = ChurnModel.objects.select_for_update().get(pk=model.pk)
    if row.state != ModelState.CHALLENGER:
        raise ModelNotWaiting
    take_over(row, now=now)
    if row.state != ModelState.CHAMPION:
        raise ModelOutdated
    told = {"state": [ModelState.CHALLENGER, ModelState.CHAMPION], "why": ["", why[:300]]}
    record(actor=actor, now=now, action="churn.promote", obj=row, changes=told)
    return row


@transaction.atomic
def take_over(row: ChurnModel, *, now: datetime) -> None:
    """`row` speaks from its cut-off on; a model made for a past day never replaces a newer one."""
    newer = ChurnModel.objects.filter(
        event=row.event, promoted_at__isnull=False, cutoff__gt=row.cutoff
    )
    row.promoted_at = now
    if newer.exists():
        row.state, row.retired_at = ModelState.RETIRED, now
    else:
        champions = ChurnModel.objects.filter(event=row.event, state=ModelState.CHAMPION)
        champions.exclude(pk=row.pk).update(state=ModelState.RETIRED, retired_at=now)
        row.state = ModelState.CHAMPION
        # challengers that are older than what speaks now have nothing left to show
        waiting = ChurnModel.objects.filter(event=row.event, state=ModelState.CHALLENGER)
        waiting.exclude(pk=row.pk).update(state=ModelState.RETIRED, retired_at=now)
    row.save()


@transaction.atomic
def settle(
    row: ChurnModel, *, before: ChurnModel | None, verdict: Verdict | None, now: datetime
) -> bool:
    """Keep a trained model and let it take over if nothing speaks before it, or the guard says so.

    `before` spoke on the day of its cut-off. `verdict` None: the two cannot be compared, since they
    speak of different events or inputs. Returns whether it took over.
    """
    row.previous = before
    takes_over = before is None or verdict is None or verdict.takes_over
    if verdict is not None:
        row.race = {**row.race, "guard": verdict.as_json()}
    if takes_over:
        row.save()
        take_over(row, now=now)
    else:
        # only the newest challenger waits
        older = ChurnModel.objects.filter(event=row.event, state=ModelState.CHALLENGER)
        older.filter(cutoff__lte=row.cutoff).update(state=ModelState.RETIRED, retired_at=now)
        is_past = ChurnModel.objects.filter(
            event=row.event, promoted_at__isnull=False, cutoff__gt=row.cutoff
        ).exists()
        row.state = ModelState.RETIRED if is_past else ModelState.CHALLENGER
        row.retired_at = now if is_past else None
        row.save()
    return takes_over
