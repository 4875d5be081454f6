"""Rules, causes and the policy: made, changed, switched off. Nothing in use is ever deleted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.alerts.actions.books import Books
from gengyun.alerts.actions.ending import close_cleared
from gengyun.alerts.actions.work import tell
from gengyun.alerts.calc.params import SPECS, ParamsInvalid, clean_params
from gengyun.alerts.models import Alert, AlertRule, Episode, RiskCause
from gengyun.alerts.queries.policy import policy
from gengyun.customers.models import Stage, Tier, TouchModel
from gengyun.health.calc.manual import SENTIMENT
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.models import Metric

# what may be edited; `params`, `scope` and `routes` are checked by themselves
FIELDS = (
    "name_zh",
    "name_en",
    "description_zh",
    "description_en",
    "severity",
    "cause",
    "params",
    "scope",
    "cool_down_days",
    "first_response_hours",
    "resolve_days",
    "routes",
)
# a change of these changes what the rule finds: a new version
JUDGING = {"severity", "params", "scope"}
LIMITS = {
    "severity": (1, 4),
    "cool_down_days": (0, 365),
    "first_response_hours": (1, 1000),
    "resolve_days": (1, 365),
}
TEXTS = {"name_zh": 60, "name_en": 60, "description_zh": 300, "description_en": 300}
OPTIONAL = {"first_response_hours", "resolve_days"}


class RuleNameMissing(Refusal):
    code = "rule_name_missing"
    message = "A rule needs a name in both languages."


class RuleFieldBad(Refusal):
    code = "rule_field_bad"
    message = "%(field)s: this value cannot be used (%(reason)s)."


class RuleKindUnknown(Refusal):
    code = "rule_kind_unknown"
    message = "There is no such kind of rule."


class RuleRetired(Refusal):
    code = "rule_retired"
    status = 409
    message = "This rule is retired."


@transaction.atomic
def create_rule(
    *, actor: User | None, now: datetime, kind: str, values: Mapping[str, Any]
) -> AlertRule:
    """A further rule; it judges from the next day on."""
    require(actor, "settings.edit")
    rule = build_rule(kind=kind, values=values, now=now)
    last = AlertRule.objects.aggregate(last=Max("position"))["last"] or 0
    rule.position = last + 10
    rule.key = _free_key(kind)
    rule.save()
    told = {"name": [None, rule.name_zh], "kind": [None, kind], "params": [None, rule.params]}
    record(actor=actor, now=now, action="alert_rule.created", obj=rule, changes=told)
    return rule


def build_rule(*, kind: str, values: Mapping[str, Any], now: datetime) -> AlertRule:
    """A rule of checked values that is not saved: what a dry run tries."""
    if kind not in SPECS:
        raise RuleKindUnknown
    rule = AlertRule(kind=kind, created_at=now, updated_at=now)
    _put(rule, {"params": {}, **values}, now)
    if rule.cause_id is None:
        raise RuleFieldBad(field="cause", reason="missing")
    return rule


@transaction.atomic
def edit_rule(
    *, actor: User | None, now: datetime, rule: AlertRule, changes: Mapping[str, Any]
) -> AlertRule:
    """Change some fields. Running episodes are judged by the new ones from the next day on."""
    require(actor, "settings.edit")
    row = _locked(rule)
    before = {name: _shown(row, name) for name in FIELDS}
    _put(row, changes, now)
    told = {
        name: [before[name], _shown(row, name)]
        for name in FIELDS
        if _shown(row, name) != before[name]
    }
    if not told:
        return row
    if JUDGING & set(told):
        row.version += 1
    row.save()
    record(actor=actor, now=now, action="alert_rule.edited", obj=row, changes=told)
    return row


@transaction.atomic
def switch_rule(*, actor: User | None, now: datetime, rule: AlertRule, on: bool) -> AlertRule:
    """Off: it judges no more, and what it had opened ends."""
    require(actor, "settings.edit")
    row = _locked(rule)
    if row.is_active == on:
        return row
    row.is_active, row.updated_at = on, now
    row.save(update_fields=["is_active", "updated_at"])
    record(
        actor=actor, now=now, action="alert_rule.switched", obj=row, changes={"on": [not on, on]}
    )
    if not on:
        _end_all(row, now)
    return row


@transaction.atomic
def retire_rule(*, actor: User | None, now: datetime, rule: AlertRule) -> AlertRule:
    """Out of the list; what it found stays."""
    require(actor, "settings.edit")
    row = _locked(rule)
    row.is_active, row.retired_at, row.updated_at = False, now, now
    row.save(update_fields=["is_active", "retired_at", "updated_at"])
    record(actor=actor, now=now, action="alert_rule.retired", obj=row)
    _end_all(row, now)
    return row


@transaction.atomic
def restore_rule(*, actor: User | None, now: datetime, rule: AlertRule) -> AlertRule:
    """Back into the list, switched on again: the way back from retiring it."""
    require(actor, "settings.edit")
    row = AlertRule.objects.select_for_update().get(pk=rule.pk)
    row.is_active, row.retired_at, row.updated_at = True, None, now
    row.save(update_fields=["is_active", "retired_at", "updated_at"])
    record(actor=actor, now=now, action="alert_rule.restored", obj=row)
    return row


def demote_rule(*, actor: User | None, now: datetime, rule: AlertRule) -> AlertRule:
    """What its precision proposes: one step less urgent; at the last step it is switched off."""
    if rule.severity >= LIMITS["severity"][1]:
        return switch_rule(actor=actor, now=now, rule=rule, on=False)
    return edit_rule(actor=actor, now=now, rule=rule, changes={"severity": rule.severity + 1})


@transaction.atomic
def reorder_rules(*, actor: User | None, now: datetime, order: Sequence[int]) -> None:
    """The order of the list; among equally urgent findings the first names the work item."""
    require(actor, "settings.edit")
    rows = {rule.pk: rule for rule in AlertRule.objects.filter(retired_at__isnull=True)}
    if sorted(order) != sorted(rows):
        raise NotFound
    for place, pk in enumerate(order):
        AlertRule.objects.filter(pk=pk).update(position=(place + 1) * 10)
    changes = {"order": [sorted(rows, key=lambda pk: rows[pk].position), list(order)]}
    record(actor=actor, now=now, action="alert_rule.reordered", obj=rows[order[0]], changes=changes)


# --- checking ------------------------------------------------------------------------------------


def _locked(rule: AlertRule) -> AlertRule:
    row = AlertRule.objects.select_for_update().get(pk=rule.pk)
    if row.retired_at is not None:
        raise RuleRetired
    return row


def _put(rule: AlertRule, changes: Mapping[str, Any], now: datetime) -> None:
    for name, value in changes.items():
        if name not in FIELDS:
            raise RuleFieldBad(field=name, reason="unknown")
        setattr(rule, name, _checked(rule.kind, name, value))
    if not rule.name_zh or not rule.name_en:
        raise RuleNameMissing
    rule.updated_at = now


def _checked(kind: str, name: str, value: Any) -> Any:
    if name in TEXTS:
        return str(value).strip()[: TEXTS[name]]
    if name in LIMITS:
        return _whole(name, value)
    if name == "params":
        return _params(kind, value)
    checks: dict[str, Callable[[Any], Any]] = {
        "scope": _scope,
        "cause": _cause,
        "routes": _routes,
    }
    return checks[name](value)


def _cause(value: Any) -> RiskCause:
    if not isinstance(value, RiskCause) or value.retired_at is not None:
        raise RuleFieldBad(field="cause", reason="choice")
    return value


def _whole(name: str, value: Any) -> int | None:
    if value in (None, "") and name in OPTIONAL:
        return None
    least, most = LIMITS[name]
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise RuleFieldBad(field=name, reason="number") from None
    if not least <= number <= most:
        raise RuleFieldBad(field=name, reason="range")
    return number


def _params(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = clean_params(kind, value)
    except ParamsInvalid as error:
        raise RuleFieldBad(field=error.field, reason=error.reason) from None
    key = found.get("metric")
    if kind == AlertRule.Kind.SENTIMENT_DROP and key == SENTIMENT:
        return found  # said by people, no metric
    if key is not None and not Metric.objects.filter(key=key, retired_at__isnull=True).exists():
        raise RuleFieldBad(field="metric", reason="choice")
    return found


def _scope(value: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, set[Any]] = {
        "tiers": set(Tier.objects.values_list("pk", flat=True)),
        "touch_models": set(TouchModel.values),
        "stages": set(Stage.objects.values_list("pk", flat=True)),
    }
    found = {}
    for name, chosen in value.items():
        if name not in known or not set(chosen) <= known[name]:
            raise RuleFieldBad(field=name, reason="choice")
        if chosen:
            found[name] = sorted(set(chosen))
    return found


def _routes(value: Any) -> list[dict[str, Any]]:
    """Shape only; which channels there are is known where messages are sent."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RuleFieldBad(field="routes", reason="choice")
    return value


def _shown(rule: AlertRule, name: str) -> Any:
    return rule.cause_id if name == "cause" else getattr(rule, name)


def _free_key(kind: str) -> str:
    taken = set(AlertRule.objects.values_list("key", flat=True))
    number = 1
    while f"{kind}_{number}" in taken:
        number += 1
    return f"{kind}_{number}"


def _end_all(rule: AlertRule, now: datetime) -> None:
    """Everything that runs under the rule ends; work items nothing else holds are closed."""
    today = day_of(now)
    live = list(Episode.objects.filter(rule=rule, closed_on__isnull=True).select_for_update())
    ended = []
    for episode in live:
        if episode.state == Episode.State.WATCHING:
            episode.delete()
            continue
        episode.state, episode.end = Episode.State.CLOSED, Episode.End.RULE
        episode.closed_on = max(today, episode.opened_on)
        episode.updated_at = now
        episode.save()
        ended.append(episode)
    books = Books(today, now, policy(), is_now=True)
    close_cleared(books, ended)
    books.write()
    touched = Alert.objects.filter(pk__in={e.alert_id for e in ended if e.alert_id is not None})
    tell(list(touched), now=now)
