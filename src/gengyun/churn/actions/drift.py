"""Every night: have the inputs moved, do the outcomes still come as was said? science.md 4.3.

Outside ±2.5 the intercept is set right, outside ±3.5 a model is trained anew. Both write a further
`ChurnModel`, so that what was said before stays with what said it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import transaction

from gengyun.churn.actions.promote import take_over
from gengyun.churn.actions.train import outcomes_since, train
from gengyun.churn.calc.drift import Moved, action_of, cusum, intercept_shift, stability
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.standards import Threshold
from gengyun.churn.calc.table import Floats, Table
from gengyun.churn.models import ChurnModel, DriftCheck, ModelState
from gengyun.churn.queries.models import content_of, in_force
from gengyun.churn.queries.rows import Held, grace_of
from gengyun.churn.queries.settings import current, event_of, thresholds_in_force
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

log = logging.getLogger(__name__)
FEWEST = 10  # outcomes from which they can speak against a model
COMPARED_LAG = (15, 220)  # days: rows like those that a model learned from
NOT_COMPARED = {"lag"}  # the calendar moves it, nothing else


@dataclass(frozen=True)
class Outlook:
    """What a night found. `model`: what speaks afterwards."""

    check: DriftCheck
    model: ChurnModel


def check_drift(as_of: date, *, now: datetime, rows: Held, known: Table) -> Outlook | None:
    """`rows`: of tonight; `known`: what was decided since the model learned, at least.

    None: no model speaks yet.
    """
    settings = current()
    row = in_force(event_of(settings), as_of)
    if row is None:
        return None
    limits = thresholds_in_force(settings)
    y, fresh = outcomes_since(known, row.cutoff, as_of, grace_of(settings))
    model = content_of(row)
    logit = model.logits(fresh) if len(fresh) else np.zeros(0)
    value = cusum(y, expit(logit)) if len(fresh) >= FEWEST else None
    action = action_of(
        value,
        recalibrates=limits["cusum_recalibrates"].value,
        retrains=limits["cusum_retrains"].value,
    )
    moved = _moved(row, rows.live().table)
    check, _ = DriftCheck.objects.update_or_create(
        as_of=as_of,
        model=row,
        defaults={
            "psi": {key: round(one.psi, 4) for key, one in moved.items()},
            "cusum": value,
            "decided": len(fresh),
            "action": action,
            "told": _told(moved, limits, y, expit(logit)),
        },
    )
    speaks = row
    if action == DriftCheck.Action.RETRAIN:
        log.warning("churn: outcomes speak against model %s (%.1f), trained anew", row.pk, value)
        made = train(actor=None, now=now, as_of=as_of, reason="drift", rows=rows)
        # a challenger that is not shown to be better leaves the champion: at least its level is set
        speaks = (
            made.model
            if made.took_over
            else recalibrate(actor=None, now=now, as_of=as_of, model=row, known=known)
        )
    elif action == DriftCheck.Action.RECALIBRATE:
        speaks = recalibrate(actor=None, now=now, as_of=as_of, model=row, known=known)
    return Outlook(check, speaks)


def recalibrate(
    *, actor: User | None, now: datetime, as_of: date, model: ChurnModel, known: Table
) -> ChurnModel:
    """The same model with another intercept, from the outcomes since it learned; speaks at once."""
    require(actor, "settings.edit")
    settings = current()
    y, rows = outcomes_since(known, model.cutoff, as_of, grace_of(settings))
    shift = model.intercept_shift + intercept_shift(y, content_of(model).logits(rows))
    with transaction.atomic():
        row = ChurnModel(
            event=model.event,
            rung=model.rung,
            state=ModelState.CHALLENGER,
            content=model.content,
            feature_set=model.feature_set,
            feature_hash=model.feature_hash,
            trained_at=now,
            cutoff=as_of,
            rows=model.rows,
            events=model.events,
            outcomes=model.outcomes,
            span_from=model.span_from,
            span_to=model.span_to,
            settings=model.settings,
            race=model.race,
            metrics={**model.metrics, "reason": "recalibrated", "outcomes": len(rows)},
            intercept_shift=shift,
            previous=model,
        )
        row.save()
        take_over(row, now=now)
        told = {"intercept_shift": [model.intercept_shift, shift], "outcomes": [0, len(rows)]}
        record(actor=actor, now=now, action="churn.recalibrate", obj=row, changes=told)
    return row


def _moved(row: ChurnModel, live: Table) -> dict[str, Moved]:
    """Inputs of tonight against those learned from, of renewals about as far away."""
    rows = live
    if len(live) and not np.isnat(live.due).all():
        rows = live.taken((live.lag >= COMPARED_LAG[0]) & (live.lag <= COMPARED_LAG[1]))
    kept = {
        key: one for key, one in row.metrics.get("reference", {}).items() if key not in NOT_COMPARED
    }
    return stability(kept, rows.x, rows.keys)


def _told(
    moved: Mapping[str, Moved], limits: Mapping[str, Threshold], y: Floats, p: Floats
) -> dict[str, Any]:
    limit = limits["psi_warns"].value
    return {
        "moved": sorted(
            (key for key, one in moved.items() if one.is_over(limit)),
            key=lambda key: -moved[key].psi,
        ),
        "lost": int(y.sum()),
        "expected": round(float(p.sum()), 2),
    }
