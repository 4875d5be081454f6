"""The tree of risk causes and the policy, as their owner edits them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.alerts.models import AlertPolicy, AlertRule, RiskCause
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


class CauseNameMissing(Refusal):
    code = "cause_name_missing"
    message = "A cause needs a name in both languages."


class CauseBad(Refusal):
    code = "cause_bad"
    message = "%(field)s: this value cannot be used."


class CauseInUse(Refusal):
    code = "cause_in_use"
    status = 409
    message = "Rules still name this cause: %(rules)s. Give them another one first."


class PolicyBad(Refusal):
    code = "alert_policy_bad"
    message = "%(field)s must be between %(least)s and %(most)s."


POLICY_LIMITS = {
    "daily_budget": (1, 200),
    "churn_weekly": (1, 50),
    "churn_monthly_per_hundred": (1, 100),
    "parent_days": (0, 30),
    "raise_gap_days": (1, 60),
    "reopen_days": (1, 365),
    "snooze_days": (1, 90),
    "day_starts_hour": (0, 23),
    "day_ends_hour": (1, 24),
}


@transaction.atomic
def create_cause(
    *,
    actor: User | None,
    now: datetime,
    name_zh: str,
    name_en: str,
    grade: str,
    parent: RiskCause | None,
) -> RiskCause:
    """A cause below a family; without a parent a family of its own."""
    require(actor, "settings.edit")
    if parent is not None and (parent.parent_id is not None or parent.retired_at is not None):
        raise CauseBad(field="parent")  # two levels: a family and its causes
    last = RiskCause.objects.aggregate(last=Max("position"))["last"] or 0
    cause = RiskCause(parent=parent, position=last + 1, created_at=now)
    _put(cause, {"name_zh": name_zh, "name_en": name_en, "grade": grade})
    taken = set(RiskCause.objects.values_list("key", flat=True))
    number = 1
    while f"cause_{number}" in taken:
        number += 1
    cause.key = f"cause_{number}"
    cause.save()
    record(
        actor=actor,
        now=now,
        action="risk_cause.created",
        obj=cause,
        changes={"grade": [None, grade]},
    )
    return cause


@transaction.atomic
def edit_cause(
    *, actor: User | None, now: datetime, cause: RiskCause, changes: Mapping[str, Any]
) -> RiskCause:
    """Names and grade."""
    require(actor, "settings.edit")
    row = RiskCause.objects.select_for_update().get(pk=cause.pk)
    before = {name: getattr(row, name) for name in changes if hasattr(row, name)}
    _put(row, changes)
    told = {n: [old, getattr(row, n)] for n, old in before.items() if old != getattr(row, n)}
    if told:
        row.save()
        record(actor=actor, now=now, action="risk_cause.edited", obj=row, changes=told)
    return row


@transaction.atomic
def retire_cause(*, actor: User | None, now: datetime, cause: RiskCause) -> RiskCause:
    """No longer offered; alerts that were closed with it keep it. Never deleted."""
    require(actor, "settings.edit")
    row = RiskCause.objects.select_for_update().get(pk=cause.pk)
    below = RiskCause.objects.filter(parent=row, retired_at__isnull=True)
    if below.exists():
        raise CauseInUse(rules="、".join(below.values_list("name_zh", flat=True)))
    rules = AlertRule.objects.filter(cause=row, retired_at__isnull=True)
    if rules.exists():
        raise CauseInUse(rules="、".join(rules.values_list("name_zh", flat=True)))
    row.retired_at = now
    row.save(update_fields=["retired_at"])
    record(actor=actor, now=now, action="risk_cause.retired", obj=row)
    return row


@transaction.atomic
def restore_cause(*, actor: User | None, now: datetime, cause: RiskCause) -> RiskCause:
    require(actor, "settings.edit")
    row = RiskCause.objects.select_for_update().get(pk=cause.pk)
    row.retired_at = None
    row.save(update_fields=["retired_at"])
    record(actor=actor, now=now, action="risk_cause.restored", obj=row)
    return row


@transaction.atomic
def edit_policy(*, actor: User | None, now: datetime, changes: Mapping[str, Any]) -> AlertPolicy:
    """Budget, gaps and working hours; in force from the next judged day on."""
    require(actor, "settings.edit")
    row = AlertPolicy.objects.select_for_update().order_by("pk").first() or AlertPolicy()
    told = {}
    for name, given in changes.items():
        if name not in POLICY_LIMITS:
            raise CauseBad(field=name)
        least, most = POLICY_LIMITS[name]
        try:
            value = int(given)
        except (TypeError, ValueError):
            raise PolicyBad(field=name, least=least, most=most) from None
        if not least <= value <= most:
            raise PolicyBad(field=name, least=least, most=most)
        if getattr(row, name) != value:
            told[name] = [getattr(row, name), value]
            setattr(row, name, value)
    if row.day_ends_hour <= row.day_starts_hour:
        raise PolicyBad(field="day_ends_hour", least=row.day_starts_hour + 1, most=24)
    row.updated_at = now
    row.save()
    if told:
        record(actor=actor, now=now, action="alert_policy.edited", obj=row, changes=told)
    return row


def _put(cause: RiskCause, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name in {"name_zh", "name_en"}:
            setattr(cause, name, str(value).strip()[:60])
        elif name == "grade" and value in RiskCause.Grade.values:
            cause.grade = value
        else:
            raise CauseBad(field=name)
    if not cause.name_zh or not cause.name_en:
        raise CauseNameMissing
