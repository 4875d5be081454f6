"""Learning from what was decided: monthly, after 20 further outcomes, or when something changed.

A training writes one `ChurnModel` with frozen coefficients; the guard decides whether it speaks.
Training for a past day uses nothing that became known later, and never replaces a newer model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
from django.db import transaction

from gengyun.churn.actions.promote import settle
from gengyun.churn.calc.backtest import renewal_of, ripe
from gengyun.churn.calc.drift import reference
from gengyun.churn.calc.features import FEATURE_SET, feature_hash
from gengyun.churn.calc.guard import Verdict, compare, enough, origins
from gengyun.churn.calc.ladder import fit
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.model import Rung
from gengyun.churn.calc.scorecard import BaseRate
from gengyun.churn.calc.table import Flags, Floats, Table, joined
from gengyun.churn.models import ChurnModel, ChurnSettings, Event
from gengyun.churn.queries.models import content_of, in_force, newest_trained
from gengyun.churn.queries.rows import Held, grace_of, held, thinned
from gengyun.churn.queries.settings import (
    as_settings,
    base_rates_by_place,
    current,
    event_of,
    thresholds_in_force,
    weights_in_force,
)
from gengyun.lake.store import Lake
from gengyun.revenue.models import Renewal, RenewalState
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

SEED = 1
ORIGINS = 3  # days from which challengers are made to be compared with the champion
LEAST_COMPARED = 100
LEAST_DAYS = 7  # between two trainings for further outcomes


@dataclass(frozen=True)
class Trained:
    """A kept model, whether it speaks now, and why it was made."""

    model: ChurnModel
    took_over: bool
    verdict: Verdict | None


def train(
    *,
    actor: User | None,
    now: datetime,
    as_of: date,
    reason: str,
    rows: Held | None = None,
    lake: Lake | None = None,
) -> Trained:
    """Learn from everything known before `as_of`, keep the model, let the guard decide.

    `rows`: what was known before the day, where the caller has read it already.
    """
    require(actor, "settings.edit")
    settings = current()
    event = event_of(settings)
    read = rows or held(as_of, settings=settings, lake=lake)
    whole = read.training()
    decided = weighed(thinned(whole), settings)
    # customers of today are learned from too, but for their outcome: the units of the scorecard
    everything = joined([decided, weighed(thinned(read.live().table), settings)])
    before = in_force(event, as_of)
    bases = bases_of(settings)
    day = np.datetime64(as_of, "D")
    learned = censored(everything, ripe(everything, day, grace_of(settings)))
    found = fit(learned, base_rates=bases, seed=SEED)
    row = ChurnModel(
        event=event,
        rung=found.rung,
        content=found.model.to_json(),
        feature_set=FEATURE_SET,
        feature_hash=feature_hash(everything.features),
        trained_at=now,
        cutoff=as_of,
        settings=as_settings(settings, everything.features),
        race=found.race.to_json(),
        metrics={
            "reason": reason,
            "notes": [
                *({"key": note.key, **note.params} for note in found.notes),
                *([{"key": "sampled", "rows": len(whole)}] if len(decided) < len(whole) else []),
            ],
            "reference": reference(_lately(decided, learned).x, learned.keys),
        },
        **_counts(learned),
    )
    verdict = None
    if before is not None and _comparable(before, row):
        verdict = challenge(
            before, decided, rung=found.rung, as_of=as_of, settings=settings, bases=bases
        )
    with transaction.atomic():
        took_over = settle(row, before=before, verdict=verdict, now=now)
        told = {
            "rung": ["", row.rung],
            "events": [before.events if before else None, row.events],
            "why": ["", reason],
            "in_use": [False, took_over],
        }
        record(actor=actor, now=now, action="churn.train", obj=row, changes=told)
    return Trained(row, took_over, verdict)


def weighed(table: Table, settings: ChurnSettings) -> Table:
    """The same table with the weights in force."""
    weights = weights_in_force(settings, table.features)
    features = tuple(replace(one, weight=weights[one.key].weight) for one in table.features)
    return replace(table, features=features)


def bases_of(settings: ChurnSettings) -> dict[int, BaseRate]:
    return {
        place: BaseRate(row.rate, row.worth) for place, row in base_rates_by_place(settings).items()
    }


def _lately(decided: Table, learned: Table) -> Table:
    """What tonight's rows are compared with: those of the last year, if they are enough."""
    if not len(decided):
        return learned
    newest = decided.taken(decided.at >= decided.at.max() - np.timedelta64(365, "D"))
    return newest if len(newest) >= LEAST_COMPARED else decided


def censored(table: Table, known: Flags) -> Table:
    """Rows whose outcome is not ripe are there without one."""
    return replace(table, y=np.where(known, table.y, np.nan))


def _counts(table: Table) -> dict[str, object]:
    decided = table.taken(table.decided)
    if not len(decided):
        return {"rows": 0, "events": 0, "outcomes": 0}
    renewal = renewal_of(decided)
    dues = decided.due[~np.isnat(decided.due)]
    return {
        "rows": len(decided),
        "outcomes": len(np.unique(renewal)),
        "events": len(np.unique(renewal[decided.y == 1])),
        "span_from": dues.min().item() if len(dues) else None,
        "span_to": dues.max().item() if len(dues) else None,
    }


def _comparable(before: ChurnModel, row: ChurnModel) -> bool:
    """Whether outcomes can tell the two apart: the same event, the same inputs, the same grace.

    An estimate under other weights or base rates is what people say now: it replaces the old one.
    """
    asked = ("event", "grace_days", "silent_days")
    if any(before.settings.get(name) != row.settings.get(name) for name in asked):
        return False
    if before.feature_set != row.feature_set:
        return False
    said = ("weights", "base_rates")
    is_estimate = before.rung == row.rung == "L0"
    return not (
        is_estimate and any(before.settings.get(name) != row.settings.get(name) for name in said)
    )


def challenge(
    before: ChurnModel,
    rows: Table,
    *,
    rung: Rung,
    as_of: date,
    settings: ChurnSettings,
    bases: Mapping[int, BaseRate],
) -> Verdict:
    """Both asked about what came out since the champion learned, each from what it knew.

    From a few days in between a challenger is made that knows nothing later, and asked about what
    became known until the next of them (rolling origins).
    """
    day, since = np.datetime64(as_of, "D"), np.datetime64(before.cutoff, "D")
    grace = grace_of(settings)
    days = [*origins(since, day, ORIGINS), day]
    judged = ripe(rows, day, grace) & ~ripe(rows, days[0], grace)
    if not enough(rows.y[judged], rows.account[judged]):
        return compare(
            rows.y[judged],
            champion=rows.y[judged],
            challenger=rows.y[judged],
            account=rows.account[judged],
            tier=rows.tier[judged],
        )
    said = np.full(len(rows), np.nan)
    for origin, until in pairwise(days):
        asked = ripe(rows, until, grace) & ~ripe(rows, origin, grace)
        if asked.any():
            known = censored(rows, ripe(rows, origin, grace))
            made = fit(known, base_rates=bases, seed=SEED, rung=rung).model
            said[asked] = expit(made.logits(rows.taken(asked)))
    champion = expit(content_of(before).logits(rows.taken(judged)))
    return compare(
        rows.y[judged],
        champion=champion,
        challenger=said[judged],
        account=rows.account[judged],
        tier=rows.tier[judged],
    )


def due_reason(as_of: date, *, settings: ChurnSettings) -> str:
    """Why a training is due on this day, "" where none is."""
    event = event_of(settings)
    last = newest_trained(event, as_of)
    if last is None:
        return "first"
    newer = ChurnModel.objects.filter(event=event, cutoff__gt=as_of).exists()
    if not newer and last.feature_set != FEATURE_SET:
        return "features"
    if not newer and last.settings.get("version") != settings.version:
        return "settings"
    limits = thresholds_in_force(settings)
    age = (as_of - last.cutoff).days
    if age >= limits["retrain_days"].value:
        return "monthly"
    if age >= LEAST_DAYS and event == Event.NON_RENEWAL:
        decided = _decided_between(last.cutoff, as_of, settings.grace_days)
        if decided >= limits["retrain_outcomes"].value:
            return "outcomes"
    return ""


def _decided_between(since: date, until: date, grace_days: int) -> int:
    """Renewals whose outcome ripened in between: due and grace over, and decided."""
    grace = timedelta(days=grace_days)
    decided = Renewal.objects.filter(state__in=(RenewalState.RENEWED, RenewalState.LOST))
    return decided.filter(due_on__gte=since - grace, due_on__lt=until - grace).count()


def outcomes_since(rows: Table, since: date, as_of: date, grace_days: int) -> tuple[Floats, Table]:
    """(y, rows) of the renewals that ripened in between, one row each: that seen 90 days before."""
    first, day = np.datetime64(since, "D"), np.datetime64(as_of, "D")
    fresh = rows.taken(ripe(rows, day, grace_days) & ~ripe(rows, first, grace_days))
    if not len(fresh):
        return fresh.y, fresh
    order = np.lexsort([np.abs(fresh.lag - 90), renewal_of(fresh)])
    ordered = fresh.taken(order)
    _, places = np.unique(renewal_of(ordered), return_index=True)
    one = ordered.taken(places)
    return one.y, one
