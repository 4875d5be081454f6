"""A back-test, asked for by a person or a command; `backtest_run` works it off."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.churn.models import Backtest, ChurnSettings
from gengyun.churn.queries.models import champion
from gengyun.churn.queries.settings import current, event_of, thresholds_in_force
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

KEPT = 12  # of an event; older ones are forgotten
RUNS = "renewal.decide"  # who may ask for one


@transaction.atomic
def ask_backtest(*, actor: User | None, now: datetime) -> tuple[Backtest, bool]:
    """(a waiting back-test, whether it is new): one that is being worked on is not doubled.
    Whoever calls puts the job into the queue."""
    require(actor, RUNS)
    settings = current()
    event = event_of(settings)
    waiting = Backtest.objects.filter(event=event, state=Backtest.State.RUNNING).first()
    if waiting is not None:
        return waiting, False
    made = Backtest.objects.create(
        created_at=now,
        requested_by=actor,
        event=event,
        model=champion(event),
        settings=_settings(settings, event),
    )
    record(actor=actor, now=now, action="churn.backtest", obj=made)
    _forget(event)
    return made, True


def _settings(settings: ChurnSettings, event: str) -> dict[str, Any]:
    """What it is made under, kept with it."""
    limits = thresholds_in_force(settings)
    return {
        "version": settings.version,
        # silence is over on its day: nobody comes back with a signature
        "grace_days": settings.grace_days if event == "non_renewal" else 0,
        "silent_days": settings.silent_days,
        "per_100": limits["budget_100_month"].value,
    }


def _forget(event: str) -> None:
    old = Backtest.objects.filter(event=event).order_by("-pk").values_list("pk", flat=True)[KEPT:]
    Backtest.objects.filter(pk__in=list(old)).delete()


def fail_backtest(backtest_id: int, *, now: datetime, error: str) -> None:
    """The job gave up: say so on the page instead of a bar that never moves."""
    Backtest.objects.filter(pk=backtest_id, state=Backtest.State.RUNNING).update(
        state=Backtest.State.FAILED, error=error[:300], finished_at=now
    )
