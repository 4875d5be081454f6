"""What people decide about the churn probability: event, grace, weights, base rates, thresholds.

A change raises the version; the next night trains a model under it. Models and forecasts of before
keep what they were made under.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from django.db import transaction

from gengyun.churn.calc.standards import shipped
from gengyun.churn.models import ChurnSettings, EventChoice
from gengyun.customers.models import Tier
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

FIELDS = ("event", "grace_days", "silent_days", "weights", "base_rates", "thresholds")
LONGEST_GRACE = 365
SHORTEST_SILENCE, LONGEST_SILENCE = 14, 730
MOST_WEIGHT, MOST_WORTH = 3, 10_000
LONGEST_SOURCE, MOST_ENTRIES = 200, 500
# a limit's least and greatest value
BOUNDS: dict[str, tuple[float, float]] = {
    "jump_logit": (0.1, 5),
    "close_share": (0.1, 1),
    "budget_csm_week": (0, 100),
    "budget_100_month": (0, 100),
    "disagreement_points": (1, 100),
    "psi_warns": (0.05, 5),
    "cusum_recalibrates": (1, 10),
    "cusum_retrains": (1, 10),
    "retrain_days": (7, 365),
    "retrain_outcomes": (5, 10_000),
}


class EventBad(Refusal):
    code = "churn_event_bad"
    message = "The event is one of: %(choices)s."


class DaysBad(Refusal):
    code = "churn_days_bad"
    message = "Days of grace are 0 to %(grace)s, days of silence %(least)s to %(most)s."


class WeightBad(Refusal):
    code = "churn_weight_bad"
    message = "The weight of “%(key)s” is a number from 0 to %(most)s."


class BaseRateBad(Refusal):
    code = "churn_base_rate_bad"
    message = "A base rate is over 0 and below 100 %%, and counts for 0 to %(most)s renewals."


class ThresholdBad(Refusal):
    code = "churn_threshold_bad"
    message = "“%(key)s” is a number from %(least)s to %(most)s."


class SourceMissing(Refusal):
    code = "churn_source_missing"
    message = "Say where the number for “%(key)s” comes from, or that it is an assumption."


@transaction.atomic
def edit_settings(
    *, actor: User | None, now: datetime, changes: Mapping[str, Any]
) -> ChurnSettings:
    """`weights`, `base_rates` and `thresholds` hold every entry that differs from what is shipped;
    an entry left out is as shipped again."""
    require(actor, "settings.edit")
    ChurnSettings.objects.get_or_create(pk=1)
    row = ChurnSettings.objects.select_for_update().get(pk=1)
    values = {name: changes[name] for name in FIELDS if name in changes}
    values = _checked(values, row)
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at, row.updated_by = now, actor
        row.save()
        record(actor=actor, now=now, action="churn.settings", obj=row, changes=told)
    return row


def _checked(values: dict[str, Any], row: ChurnSettings) -> dict[str, Any]:
    check_event(values.get("event", row.event))
    check_days(values.get("grace_days", row.grace_days), values.get("silent_days", row.silent_days))
    tiers = {"", *Tier.objects.values_list("key", flat=True)}
    for kind, checked in CHECKED.items():
        if kind in values:
            values[kind] = {
                key: checked(key, entry)
                for key, entry in _entries(values[kind])
                if kind != "base_rates" or key in tiers
            }
    return values


def check_event(event: Any) -> None:
    if event not in EventChoice.values:
        raise EventBad(choices=", ".join(EventChoice.values))


def check_days(grace: int, silent: int) -> None:
    if not (0 <= grace <= LONGEST_GRACE and SHORTEST_SILENCE <= silent <= LONGEST_SILENCE):
        raise DaysBad(grace=LONGEST_GRACE, least=SHORTEST_SILENCE, most=LONGEST_SILENCE)


def _entries(rows: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(str(key), row) for key, row in list(rows.items())[:MOST_ENTRIES]]


def checked_weight(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    weight = _number(row.get("weight"))
    if weight is None or not 0 <= weight <= MOST_WEIGHT:
        raise WeightBad(key=key, most=MOST_WEIGHT)
    return {"weight": weight, "source": _source(key, row)}


def checked_base_rate(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    rate, worth = _number(row.get("rate")), _number(row.get("worth"))
    if rate is None or worth is None or not (0 < rate < 1 and 0 <= worth <= MOST_WORTH):
        raise BaseRateBad(most=MOST_WORTH)
    return {"rate": rate, "worth": worth, "source": _source(key, row)}


def checked_threshold(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    value = _number(row.get("value"))
    least, most = BOUNDS.get(key, (0.01, 0.99))  # of a tier: a probability
    is_known = key in shipped()["thresholds"] or key.startswith("tier:")
    if value is None or not is_known or not least <= value <= most:
        raise ThresholdBad(key=key, least=least, most=most)
    return {"value": value, "source": _source(key, row)}


# Each refuses what cannot be, or gives the entry as it is kept; a page asks them before saving.
CHECKED: dict[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    "weights": checked_weight,
    "base_rates": checked_base_rate,
    "thresholds": checked_threshold,
}


def _source(key: str, row: Mapping[str, Any]) -> str:
    source = str(row.get("source") or "").strip()[:LONGEST_SOURCE]
    if not source:
        raise SourceMissing(key=key)
    return source


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)
