"""The metrics that a new deployment starts with."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.usage.actions.rollups import ensure_measures
from gengyun.usage.calc.plan import measures_for
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import active_metrics, parsed


def _base(aggregate: str, days: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"aggregate": aggregate, "events": None}
    return found if days is None else {**found, "window_days": days}


# key, Chinese and English name, unit, direction in which more is good, definition
DEFAULT_METRICS: list[tuple[str, str, str, str, str, dict[str, Any]]] = [
    ("active_users_30d", "30 天活跃用户", "Active users, 30 days", "users", "up",
     _base("users", 30)),
    ("active_days_30d", "30 天活跃天数", "Active days, 30 days", "days", "up",
     _base("active_days", 30)),
    ("events_30d", "30 天使用次数", "Events, 30 days", "count", "up", _base("count", 30)),
    ("breadth_30d", "30 天功能数", "Features used, 30 days", "count", "up", _base("breadth", 30)),
    ("days_since_active", "距上次使用天数", "Days since last use", "days", "down",
     _base("days_since")),
    ("active_users_change_30d", "活跃用户变化", "Change of active users", "ratio", "up",
     {"change": "active_users_30d"}),
    ("events_change_30d", "使用次数变化", "Change of events", "ratio", "up",
     {"change": "events_30d"}),
    ("seat_use_30d", "席位使用率", "Seat use", "ratio", "up",
     {"ratio": {"numerator": "active_users_30d", "denominator": {"field": "seats"}}}),
    ("active_users_7d", "7 天活跃用户", "Active users, 7 days", "users", "up", _base("users", 7)),
    ("events_7d", "7 天使用次数", "Events, 7 days", "count", "up", _base("count", 7)),
    ("active_users_90d", "90 天活跃用户", "Active users, 90 days", "users", "up",
     _base("users", 90)),
    ("events_180d", "180 天使用次数", "Events, 180 days", "count", "up", _base("count", 180)),
]  # fmt: skip


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Create the default metrics that are missing; returns how many. Others stay as they are."""
    known = set(Metric.objects.values_list("key", flat=True))
    new = [
        Metric(
            key=key,
            name_zh=name_zh,
            name_en=name_en,
            unit=unit,
            direction=direction,
            definition=definition,
            position=(place + 1) * 10,
            created_at=now,
            updated_at=now,
        )
        for place, (key, name_zh, name_en, unit, direction, definition) in enumerate(
            DEFAULT_METRICS
        )
        if key not in known
    ]
    Metric.objects.bulk_create(new)
    ensure_measures(measures_for(parsed(active_metrics())), now=now)
    return len(new)
