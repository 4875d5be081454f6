"""The scorecards that a new deployment starts with: one for high-touch customers, one for all.

Thresholds are reasoned from working rhythms and published practice, not fitted to outcomes:
- seats in use: below half is poor, four fifths is good (GitLab's licence utilisation);
- active days in 30: one a week 50, two a week 70, every working day (about 20) 100;
- days since last use: yesterday 100, a week 80, two weeks 65, a month 40, a quarter 0;
- events in half a year: one a week 45, one a working day 75: staying power that a quiet month
  does not wipe out;
- change against the window before: as before 75, a third less 50, nothing left 0;
- days overdue: 15, 30 and 60 are the steps of the alert about payments (science.md 5.3, R7);
- ARR against a year before: as before 70, a fifth less 35, a third less 10.
Without invoices and contracts the commercial group has no data and its weight goes to the others in
proportion: the score is then that of use alone, as it was measured on a real log (docs/health.md).
Service and relationship groups come with the data that feeds them.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.models import Tier, TouchModel
from gengyun.health.actions.scorecards import create_scorecard, publish_version
from gengyun.health.models import Scorecard

Curve = list[list[float]]

USERS: Curve = [[0, 0], [1, 35], [3, 60], [10, 85], [30, 100]]
USERS_HIGH: Curve = [[0, 0], [3, 35], [10, 60], [30, 85], [80, 100]]
SEATS: Curve = [[0, 0], [0.3, 40], [0.5, 65], [0.8, 90], [1, 100]]
BREADTH: Curve = [[0, 0], [1, 40], [3, 65], [6, 85], [10, 100]]
ACTIVE_DAYS: Curve = [[0, 0], [1, 20], [4, 50], [8, 70], [15, 90], [20, 100]]
HALF_YEAR: Curve = [[0, 0], [6, 20], [26, 45], [130, 75], [600, 100]]
RECENCY: Curve = [[1, 100], [3, 90], [7, 80], [14, 65], [30, 40], [60, 15], [90, 0]]
OVERDUE: Curve = [[0, 100], [7, 80], [15, 60], [30, 35], [60, 0]]
ARR_CHANGE: Curve = [[-0.5, 0], [-0.33, 10], [-0.2, 35], [0, 70], [0.2, 90], [0.5, 100]]
CHANGE: Curve = [[-1, 0], [-0.33, 50], [0, 75], [0.33, 100]]


def _factor(metric: str, weight: float, curve: Curve) -> dict[str, Any]:
    return {
        "key": metric,
        "metric": metric,
        "weight": weight,
        "curve": curve,
        "missing": "exclude",
    }


def _group(key: str, zh: str, en: str, *factors: dict[str, Any]) -> dict[str, Any]:
    """The weight of a group is the sum of its factors'; all groups together make 100."""
    weight = sum(factor["weight"] for factor in factors)
    return {"key": key, "name_zh": zh, "name_en": en, "weight": weight, "factors": list(factors)}


def _silent_cap(days: int, cap_at: int) -> dict[str, Any]:
    return {
        "key": f"silent_{days}",
        "when": {"metric": "days_since_active", "op": "gte", "value": days},
        "cap_at": cap_at,
        "reason_zh": f"{days} 天以上没有使用",
        "reason_en": f"No use for {days} days or more",
    }


def _commercial_caps() -> list[dict[str, Any]]:
    """Hard limits of science.md 4.5: overdue for more than 60 days, the contract is given notice"""
    return [
        {
            "key": "overdue_60",
            "when": {"metric": "days_overdue", "op": "gte", "value": 60},
            "cap_at": 40,
            "reason_zh": "回款逾期 60 天以上",
            "reason_en": "Overdue for 60 days or more",
        },
        {
            "key": "ending",
            "when": {"metric": "ending_share", "op": "gte", "value": 1},
            "cap_at": 10,
            "reason_zh": "合同已登记终止",
            "reason_en": "All contracts are known to end",
        },
    ]


def standard_config() -> dict[str, Any]:
    return {
        "bands": {"A": 80, "B": 65, "C": 50},
        "hysteresis": 3,
        "min_coverage": 0.6,
        "groups": [
            _group(
                "adoption",
                "采用",
                "Adoption",
                _factor("seat_use_30d", 13.5, SEATS),
                _factor("active_users_30d", 9, USERS),
                _factor("active_users_90d", 4.5, USERS),
                _factor("breadth_30d", 9, BREADTH),
            ),
            _group(
                "habit",
                "习惯",
                "Habit",
                _factor("active_days_30d", 13.5, ACTIVE_DAYS),
                _factor("events_180d", 13.5, HALF_YEAR),
            ),
            _group(
                "recency", "近期使用", "Recent use", _factor("days_since_active", 13.5, RECENCY)
            ),
            _group(
                "trend",
                "趋势",
                "Trend",
                _factor("active_users_change_30d", 9, CHANGE),
                _factor("events_change_30d", 4.5, CHANGE),
            ),
            _group(
                "commercial",
                "商务",
                "Commercial",
                _factor("days_overdue", 6, OVERDUE),
                _factor("arr_change_12m", 4, ARR_CHANGE),
            ),
        ],
        "caps": [_silent_cap(60, 49), *_commercial_caps()],
    }


def high_touch_config() -> dict[str, Any]:
    """More people are expected to use it, more widely; quiet weeks count sooner."""
    config = standard_config()
    config["groups"][0] = _group(
        "adoption",
        "采用",
        "Adoption",
        _factor("seat_use_30d", 18, SEATS),
        _factor("active_users_30d", 9, USERS_HIGH),
        _factor("active_users_90d", 4.5, USERS_HIGH),
        _factor("breadth_30d", 13.5, BREADTH),
    )
    config["groups"][1]["weight"] = 18
    config["caps"] = [_silent_cap(14, 64), _silent_cap(30, 49), *_commercial_caps()]
    return config


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Create the default scorecards on a deployment that has none; returns how many.

    Needs the default metrics and tiers. Leaves everything alone once a scorecard exists.
    """
    if Scorecard.objects.exists():
        return 0
    default = create_scorecard(
        actor=None, now=now, name_zh="通用评分卡", name_en="General scorecard", tier=None
    )
    cards = [(default, standard_config())]
    tier = Tier.objects.filter(touch_model=TouchModel.HIGH).first()
    if tier is not None:
        high = create_scorecard(
            actor=None,
            now=now,
            name_zh=f"{tier.name_zh}客户评分卡",
            name_en=f"Scorecard for {tier.name_en} customers",
            tier=tier,
        )
        cards.append((high, high_touch_config()))
    for card, config in cards:
        publish_version(actor=None, now=now, scorecard=card, config=config, effective_from=None)
    return len(cards)
