"""The marks of the churn probability, set by the budget once a month (science.md 5.3)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import transaction

from gengyun.alerts.calc.params import SPECS
from gengyun.alerts.calc.thresholds import Book, Budget, Mark, Terms, marks
from gengyun.alerts.models import AlertPolicy, AlertRule, ChurnMark
from gengyun.alerts.queries.marks import NO_TIER
from gengyun.alerts.queries.odds import Next, forecasts_on, next_due
from gengyun.alerts.queries.policy import policy
from gengyun.churn.calc.standards import OTHER_TIER
from gengyun.churn.queries.history import forecast_days, slots
from gengyun.churn.queries.settings import base_rates_in_force, current
from gengyun.customers.models import Customer, Tier
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake

WEEKS = 13
WITHIN = 6  # days: older forecasts say nothing of today


def set_marks(as_of: date, *, now: datetime, lake: Lake) -> bool:
    """Once a month, and when the budget was changed; True when they were set. What is known of
    forecasts up to the day decides; without any nothing is said."""
    kept = policy()
    if not _is_due(as_of, kept):
        return False
    days = slots(as_of, WEEKS, [one for one in forecast_days(lake) if one <= as_of])
    if not days or (as_of - days[-1]).days > WITHIN:
        return False
    params = _params()
    weeks = [next_due(forecasts_on(one, lake=lake)) for one in days]
    budget = Budget(float(kept.churn_weekly), float(kept.churn_monthly_per_hundred))
    terms = Terms(float(params["jump"]), float(params["least"]), float(params["exit_share"]))
    _write(marks(_books(weeks, params), budget=budget, terms=terms), as_of)
    return True


def _is_due(as_of: date, kept: AlertPolicy) -> bool:
    newest = ChurnMark.objects.order_by("-set_on").values_list("set_on", flat=True).first()
    if newest is None:
        return True
    is_changed = kept.updated_at is not None and day_of(kept.updated_at) > newest
    return as_of > newest and (
        (as_of.year, as_of.month) != (newest.year, newest.month) or is_changed
    )


def _params() -> Mapping[str, Any]:
    """Of the first rule in force; the defaults where there is none."""
    rule = (
        AlertRule.objects.filter(
            kind=AlertRule.Kind.CHURN_JUMP, is_active=True, retired_at__isnull=True
        )
        .order_by("position", "pk")
        .first()
    )
    if rule is not None:
        return dict(rule.params)
    return {name: getattr(spec, "default", None) for name, spec in SPECS["churn_jump"].items()}


def _books(weeks: list[dict[int, Next]], params: Mapping[str, Any]) -> dict[int, Book]:
    ids = sorted({pk for week in weeks for pk in week})
    place = {pk: row for row, pk in enumerate(ids)}
    p = np.full((len(ids), len(weeks)), np.nan)
    for column, week in enumerate(weeks):
        for pk, one in week.items():
            if _counts(one, params):
                value = one.probability
                p[place[pk], column] = np.nan if value is None else value
    people: dict[int, tuple[int | None, int | None]] = {}
    for pk, tier_id, owner_id in Customer.objects.values_list("pk", "tier_id", "owner_id"):
        people[pk] = (tier_id, owner_id)
    of_tier: dict[int, list[int]] = defaultdict(list)
    for pk in ids:
        of_tier[people.get(pk, (None, None))[0] or NO_TIER].append(pk)
    floors = _floors()
    return {
        tier: Book(
            p=p[[place[pk] for pk in mine]],
            floor=floors.get(tier, floors[NO_TIER]),
            owner=np.array([people.get(pk, (None, None))[1] or -1 for pk in mine], dtype=np.int64),
        )
        for tier, mine in of_tier.items()
    }


def _counts(one: Next, params: Mapping[str, Any]) -> bool:
    """Whether the rule would look at it: near enough, sure enough."""
    lag, grades = one.lead.lag_days, params["grades"]
    within = params["within_days"]
    return (lag is None or lag <= within) and one.grade in grades


def _floors() -> dict[int, float]:
    rates = base_rates_in_force(current())
    found = {tier.pk: rates.get(tier.key, rates[OTHER_TIER]).rate for tier in Tier.objects.all()}
    return found | {NO_TIER: rates[OTHER_TIER].rate}


@transaction.atomic
def _write(found: Mapping[int, Mark], as_of: date) -> None:
    tiers = Tier.objects.in_bulk()
    for tier, mark in found.items():
        ChurnMark.objects.update_or_create(
            tier=tiers.get(tier),
            defaults={
                "value": mark.value,
                "monthly": round(mark.monthly, 3),
                "customers": mark.customers,
                "basis": mark.basis,
                "set_on": as_of,
            },
        )
