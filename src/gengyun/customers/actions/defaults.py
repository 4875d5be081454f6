"""What a fresh deployment starts with: three tiers with rules, and a journey per touch model.

Idempotent and careful: what an operator changed, renamed or deleted stays as they left it.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions.stage_defaults import content_of, fill_bare_stages
from gengyun.customers.models import Stage, Tier, TierRule, TouchModel

WAN = 10_000 * 100  # ten thousand yuan in fen

TIERS: tuple[dict[str, Any], ...] = (
    {"key": "strategic", "name_zh": "战略", "name_en": "Strategic", "touch_model": TouchModel.HIGH},
    {"key": "key", "name_zh": "重点", "name_en": "Key", "touch_model": TouchModel.LOW},
    {"key": "standard", "name_zh": "标准", "name_en": "Standard", "touch_model": TouchModel.TECH},
)
# from 30 万 a year a customer pays for people of its own; from 5 万 for regular contact
RULES: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("strategic", [{"field": "arr_minor", "op": "gte", "value": 30 * WAN}]),
    ("key", [{"field": "arr_minor", "op": "gte", "value": 5 * WAN}]),
    ("standard", []),
)

# key, names, what the customer expects here
STAGES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "handover",
        "交接",
        "Handover",
        "不用把销售阶段讲过的话再讲一遍，知道从今天起找谁。",
        "Not having to repeat what was told to sales, and knowing whom to call from today on.",
    ),
    (
        "kickoff",
        "启动",
        "Kick-off",
        "目标、分工和时间表讲清楚，双方负责人都到场。",
        "Goals, duties and dates made clear, with the people in charge on both sides present.",
    ),
    (
        "rollout",
        "推广",
        "Rollout",
        "一线的人学得会、用得起来，遇到问题当天有人回应。",
        "That the people who do the work can learn and use it, and get an answer the same day.",
    ),
    (
        "steady",
        "平稳",
        "Steady",
        "看得到效果，用得更深，有人主动带来同行的做法。",
        "Results that can be seen, deeper use, and ideas from their peers without having to ask.",
    ),
    (
        "renewal",
        "续约",
        "Renewal",
        "说清一年的效果和没兑现的承诺，价格和条款没有意外。",
        "A plain account of the year and of promises not kept; no surprise in price or terms.",
    ),
    (
        "expansion",
        "增购",
        "Expansion",
        "新部门、新模块有明确的用处，开通后有人负责带起来。",
        "A clear use for the new department or module, and somebody who gets it going.",
    ),
    (
        "churned",
        "流失",
        "Churned",
        "数据能完整带走，离开的原因有人认真听。",
        "To leave with all their data, and to have the reason heard.",
    ),
)
# expected and longest days of a stay; steady and after have no fixed length
DAYS: dict[str, dict[str, tuple[int, int]]] = {
    TouchModel.HIGH: {
        "handover": (10, 21),
        "kickoff": (30, 60),
        "rollout": (90, 180),
        "renewal": (90, 180),
        "expansion": (60, 120),
    },
    TouchModel.LOW: {
        "handover": (7, 14),
        "kickoff": (14, 30),
        "rollout": (60, 120),
        "renewal": (60, 90),
        "expansion": (30, 60),
    },
    TouchModel.TECH: {
        "handover": (3, 7),
        "kickoff": (7, 14),
        "rollout": (30, 60),
        "renewal": (30, 60),
        "expansion": (14, 30),
    },
}


@transaction.atomic
def install_defaults(*, now: datetime) -> None:
    """Tiers and rules where there are none; stages for each touch model that has none."""
    if not Tier.objects.exists():
        for position, values in enumerate(TIERS, start=1):
            Tier.objects.create(position=position, **values)
    if not TierRule.objects.exists():
        _install_rules()
    for touch_model in TouchModel.values:
        if not Stage.objects.filter(touch_model=touch_model).exists():
            _install_stages(touch_model)
    fill_bare_stages()


def _install_rules() -> None:
    tiers = {tier.key: tier for tier in Tier.objects.all()}
    if not all(key in tiers for key, _ in RULES):
        return
    for position, (key, conditions) in enumerate(RULES, start=1):
        TierRule.objects.create(tier=tiers[key], position=position, conditions=conditions)


def _install_stages(touch_model: str) -> None:
    Stage.objects.bulk_create(
        [
            Stage(
                touch_model=touch_model,
                key=key,
                position=position,
                name_zh=name_zh,
                name_en=name_en,
                expectation_zh=expectation_zh,
                expectation_en=expectation_en,
                expected_days=DAYS[touch_model].get(key, (None, None))[0],
                longest_days=DAYS[touch_model].get(key, (None, None))[1],
                **content_of(key, touch_model, is_new=True),
            )
            for position, (key, name_zh, name_en, expectation_zh, expectation_en) in enumerate(
                STAGES, start=1
            )
        ]
    )
