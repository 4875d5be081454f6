"""What the stages of a new deployment ask for: our work, goals, criteria. Content, as data.

Usage lags behind: it is never the only outcome goal of a stage.
"""

from typing import Any

from gengyun.customers.models import Stage

ANY_TOUCH = {"fact": "activity:any", "op": "gte", "value": 1}
MEETING = {"fact": "activity:meeting", "op": "gte", "value": 1}
SEATS_USED = {"fact": "metric:seat_use_30d", "op": "gte", "value": 0.6}
HEALTHY = {"fact": "health:score", "op": "gte", "value": 65}
ACCEPTED = {
    "check": "handover-accepted",
    "zh": "交接单已接收，销售的承诺都记下了",
    "en": "Handover accepted, promises made in the sale written down",
}
AGREED = {
    "check": "goals-agreed",
    "zh": "目标、分工和时间表双方确认",
    "en": "Goals, duties and dates confirmed by both sides",
}
FIRST_VALUE = {
    "check": "first-value",
    "zh": "客户说第一个目标达到了",
    "en": "The customer says that the first goal is reached",
}
RENEWED = {
    "check": "renewal-agreed",
    "zh": "决策人确认续约",
    "en": "The decision maker has agreed to renew",
}
ORDERED = {"check": "order-signed", "zh": "增购订单已签", "en": "The additional order is signed"}
REASON = {
    "check": "reason-heard",
    "zh": "离开的原因问过决策人并记下",
    "en": "The decision maker was asked for the reason",
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "handover": {
        "work_zh": "和销售对一遍交接单，当面或电话认识客户的决策人。",
        "work_en": "Go through the handover with sales; get to know the decision maker.",
        "process_kpi": [ANY_TOUCH],
        "outcome_kpi": [{"fact": "decider_count", "op": "gte", "value": 1}],
        "entry": [{"fact": "days_since_start", "op": "lt", "value": 15}],
        "exit": [{"fact": "has_owner", "op": "is", "value": True}, ANY_TOUCH, ACCEPTED],
    },
    "kickoff": {
        "work_zh": "开启动会：目标、分工、时间表、双方负责人；约好第一次检查。",
        "work_en": "Hold the kick-off: goals, duties, dates, people in charge, first review.",
        "process_kpi": [MEETING],
        "outcome_kpi": [{"fact": "champion_count", "op": "gte", "value": 1}, AGREED],
        "exit": [MEETING, AGREED],
    },
    "rollout": {
        "work_zh": "按部门带着用起来，问题当天回应，每两周看一次用量和反馈。",
        "work_en": "Bring it to each department, answer the same day, look at use every two weeks.",
        "process_kpi": [SEATS_USED],
        "outcome_kpi": [FIRST_VALUE, HEALTHY],
        "exit": [SEATS_USED, FIRST_VALUE],
    },
    "steady": {
        "work_zh": "定期回访，带去同行的做法，帮他们把效果讲给老板听。",
        "work_en": "Regular contact, ideas from their peers, help to show results to management.",
        "process_kpi": [{"fact": "activity:days_since_touch", "op": "lt", "value": 45}],
        "outcome_kpi": [HEALTHY, {"fact": "champion_count", "op": "gte", "value": 1}],
    },
    "renewal": {
        "work_zh": "和决策人过一遍一年的效果、没兑现的承诺、明年的打算，说清价格和条款。",
        "work_en": "With the decision maker: results, promises open, next year, price and terms.",
        "process_kpi": [ANY_TOUCH, {"fact": "decider_count", "op": "gte", "value": 1}],
        "outcome_kpi": [RENEWED],
        "exit": [{"fact": "days_to_renewal", "op": "gte", "value": 120}],
        "exit_to": "steady",
    },
    "expansion": {
        "work_zh": "找准新部门或新模块的用处，帮客户内部立项，开通后有人带。",
        "work_en": "Find the use, help with the case inside, see that somebody gets it going.",
        "process_kpi": [MEETING],
        "outcome_kpi": [ORDERED],
        "exit": [ORDERED],
        "exit_to": "steady",
    },
    "churned": {
        "work_zh": "把数据完整交出去，认真问原因，留一个以后联系的人。",
        "work_en": "Hand over all data, ask for the reason, keep one person to stay in touch with.",
        "outcome_kpi": [REASON],
    },
}
# moves that need nobody's judgement; a deployment that exists already is asked first
BY_RULE = {
    "handover": {"is_entered_by_rule": True, "is_left_by_rule": True},
    "kickoff": {"is_left_by_rule": True},
    "rollout": {"is_left_by_rule": True},
    "renewal": {"is_entered_by_rule": True, "is_left_by_rule": True},
}
# how long before the day it is talked about: the expected stay in the stage
RENEWAL_DAYS = {"high": 90, "low": 60, "tech": 30}
_CONTENT = ("work_zh", "work_en", "process_kpi", "outcome_kpi", "entry", "exit", "exit_to")


def content_of(key: str, touch_model: str, *, is_new: bool) -> dict[str, Any]:
    """Columns for a default stage; moves by rule only where no customer is in it yet."""
    content = {**DEFAULTS.get(key, {}), **(BY_RULE.get(key, {}) if is_new else {})}
    if key == "renewal":
        days = RENEWAL_DAYS[touch_model]
        content["entry"] = [{"fact": "days_to_renewal", "op": "lt", "value": days + 1}]
    return content


def fill_bare_stages() -> int:
    """Stages from before stages had content, never edited since; returns how many were filled."""
    filled = 0
    for stage in Stage.objects.filter(is_tuned=False, key__in=DEFAULTS):
        if any(getattr(stage, name) for name in _CONTENT):
            continue
        Stage.objects.filter(pk=stage.pk).update(
            **content_of(stage.key, stage.touch_model, is_new=False)
        )
        filled += 1
    return filled
