"""Creating, changing and retiring metrics."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.kernel.errors import Refusal
from gengyun.team.actions import audit
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.actions.rollups import ensure_measures
from gengyun.usage.calc.definition import (
    Definition,
    DefinitionInvalid,
    parse_definition,
    parts_of,
    references,
)
from gengyun.usage.calc.plan import measures_for
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import active_metrics, known_parts, parsed

UNITS = ("count", "users", "days", "ratio", "amount")
TEXTS = ("name_zh", "name_en", "description_zh", "description_en", "unit", "direction")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")


class MetricKeyTaken(Refusal):
    code = "metric_key_taken"
    status = 409
    message = "There is a metric with this key already: %(key)s."


class MetricInvalid(Refusal):
    """`path` names the field that is wrong."""

    code = "metric_invalid"

    def __init__(self, path: str, message: str, **params: Any) -> None:
        self.path = path
        super().__init__(message, **params)


class MetricInUse(Refusal):
    code = "metric_in_use"
    status = 409
    message = "Other metrics are made of this one: %(keys)s."


class MetricRetired(Refusal):
    code = "metric_retired"
    status = 409
    message = "This metric is retired."


@transaction.atomic
def create_metric(
    *, actor: User | None, now: datetime, key: str, values: Mapping[str, Any], definition: object
) -> Metric:
    """A new metric; its values exist from the next day's run on, for any day one asks."""
    require(actor, "settings.edit")
    if not _KEY.fullmatch(key):
        raise MetricInvalid(
            "key", "The key needs small letters, digits and underscores, a letter first."
        )
    if Metric.objects.filter(key=key).exists():
        raise MetricKeyTaken(key=key)
    metric = Metric(key=key, definition=definition, created_at=now, updated_at=now)
    _set_texts(metric, values)
    checked = parse_definition(definition, known_parts())
    last = Metric.objects.aggregate(last=Max("position"))["last"] or 0
    metric.position = min(last + 10, 32_000)
    metric.save()
    ensure_measures(measures_for({key: checked}), now=now)
    audit.record(
        actor=actor,
        now=now,
        action="metric.created",
        obj=metric,
        changes={"definition": [None, definition]},
    )
    return metric


@transaction.atomic
def edit_metric(
    *,
    actor: User | None,
    now: datetime,
    metric: Metric,
    values: Mapping[str, Any] | None = None,
    definition: object = None,
) -> Metric:
    """Change texts or the definition; a new definition is a new version.

    Values that were written before keep the version they were computed with.
    """
    require(actor, "settings.edit")
    metric = Metric.objects.select_for_update().get(pk=metric.pk)
    if metric.retired_at is not None:
        raise MetricRetired
    before = {name: getattr(metric, name) for name in (*TEXTS, "definition", "version")}
    _set_texts(metric, {name: before[name] for name in TEXTS} | dict(values or {}))
    if definition is not None and definition != metric.definition:
        parts = {key: part for key, part in known_parts().items() if key != metric.key}
        checked = parse_definition(definition, parts)
        _check_users(metric, checked)
        metric.definition, metric.version = definition, metric.version + 1
        ensure_measures(measures_for({metric.key: checked}), now=now)
    changes = {
        name: [old, getattr(metric, name)]
        for name, old in before.items()
        if old != getattr(metric, name)
    }
    if changes:
        metric.updated_at = now
        metric.save()
        audit.record(actor=actor, now=now, action="metric.edited", obj=metric, changes=changes)
    return metric


@transaction.atomic
def retire_metric(*, actor: User | None, now: datetime, metric: Metric) -> Metric:
    """No further values; what was written stays readable."""
    require(actor, "settings.edit")
    metric = Metric.objects.select_for_update().get(pk=metric.pk)
    if metric.retired_at is not None:
        return metric
    if users := sorted(_users_of(metric)):
        raise MetricInUse(keys=", ".join(users))
    metric.retired_at = metric.updated_at = now
    metric.save()
    audit.record(actor=actor, now=now, action="metric.retired", obj=metric)
    return metric


@transaction.atomic
def restore_metric(*, actor: User | None, now: datetime, metric: Metric) -> Metric:
    """Undo a retirement."""
    require(actor, "settings.edit")
    metric = Metric.objects.select_for_update().get(pk=metric.pk)
    if metric.retired_at is None:
        return metric
    parse_definition(metric.definition, known_parts())
    metric.retired_at, metric.updated_at = None, now
    metric.save()
    audit.record(actor=actor, now=now, action="metric.restored", obj=metric)
    return metric


def _set_texts(metric: Metric, values: Mapping[str, Any]) -> None:
    for name in TEXTS:
        if name in values:
            setattr(metric, name, str(values[name]).strip())
    for name in ("name_zh", "name_en"):
        if not getattr(metric, name):
            raise MetricInvalid(name, "The metric needs a name in Chinese and in English.")
        if len(getattr(metric, name)) > 60:
            raise MetricInvalid(name, "At most %(most)s characters.", most=60)
    for name in ("description_zh", "description_en"):
        if len(getattr(metric, name)) > 300:
            raise MetricInvalid(name, "At most %(most)s characters.", most=300)
    if metric.unit not in UNITS:
        raise MetricInvalid("unit", "Unknown unit: %(value)s.", value=metric.unit)
    if metric.direction not in ("up", "down"):
        raise MetricInvalid("direction", "The good direction is up or down.")


def _users_of(metric: Metric) -> dict[str, Definition]:
    return {
        key: item
        for key, item in parsed(active_metrics()).items()
        if key != metric.key and metric.key in references(item)
    }


def _check_users(metric: Metric, definition: Definition) -> None:
    """A metric that others are made of must stay one that they can be made of."""
    users = _users_of(metric)
    if not users:
        return
    parts = known_parts()
    parts.pop(metric.key, None)
    parts |= parts_of({metric.key: definition})
    raws = dict(Metric.objects.filter(key__in=users).values_list("key", "definition"))
    for key, raw in raws.items():
        try:
            parse_definition(raw, parts)
        except DefinitionInvalid as refusal:
            raise MetricInUse(keys=key) from refusal
