"""The causes and rules that a deployment starts with. Content, as data in both languages.

Causes and grades are those of the founding articles (domain.md); the rules are R1 to R5, R7 to R11
of science.md 5.3 (R6 needs a metric of tickets: a free rule), the health rules and the product-wide
outage. All are ordinary rows afterwards.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.alerts.calc.params import clean_params
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.customers.models import Stage
from gengyun.health.calc.manual import SENTIMENT

HIGH, MEDIUM, LOW = RiskCause.Grade.HIGH, RiskCause.Grade.MEDIUM, RiskCause.Grade.LOW
Kind = AlertRule.Kind

# family, Chinese, English, grade of the family, its causes
CAUSES: list[tuple[str, str, str, str, list[tuple[str, str, str, str]]]] = [
    ("value", "价值", "Value", HIGH, [
        ("sold_wrong", "卖错了", "Sold wrong", HIGH),
        ("roi_wrong", "ROI 不对", "ROI wrong", HIGH),
    ]),
    ("relationship", "关系", "Relationship", HIGH, [
        ("decider_changed", "决策人变更", "Decision maker changed", HIGH),
        ("champion_changed", "拥护者变更", "Champion changed", LOW),
        ("contact_refused", "拒沟通", "Refuses to talk", MEDIUM),
        ("no_feedback", "无反馈", "No feedback", MEDIUM),
        ("competitor", "竞品进入", "A competitor came in", HIGH),
        ("layoff", "裁员缩编", "Layoffs", MEDIUM),
        ("other_risk", "其他风险", "Another risk", MEDIUM),
    ]),
    ("adoption", "使用", "Use", MEDIUM, [
        ("use_low", "使用低", "Use is low", MEDIUM),
        ("activation_low", "账号激活低", "Few accounts activated", MEDIUM),
        ("slow_go_live", "上线慢", "Slow go-live", MEDIUM),
    ]),
    ("service", "服务", "Service", MEDIUM, [
        ("slow_answers", "反馈解决慢", "Slow answers", MEDIUM),
        ("need_unmet", "新需求未实现", "New need unmet", LOW),
    ]),
    ("health", "健康度", "Health", MEDIUM, [
        ("cause_unknown", "原因待查", "Cause not known yet", MEDIUM),
    ]),
    ("commercial", "商务", "Commercial", MEDIUM, [
        ("payment_late", "付款拖延", "Late payment", MEDIUM),
        ("renewal_unsure", "续约未明", "Renewal not settled", MEDIUM),
        ("order_shrinks", "缩减规模", "Order shrinks", MEDIUM),
    ]),
    ("growth", "增购", "Expansion", LOW, [
        ("seats_full", "席位用满", "Seats full", LOW),
    ]),
    ("data", "数据", "Data", MEDIUM, [
        ("source_silent", "数据源中断", "Data source silent", MEDIUM),
        ("product_outage", "产品故障", "Product outage", MEDIUM),
    ]),
]  # fmt: skip

# key, kind, Chinese and English name, severity, cause, parameters, response hours, resolve days
RULES: list[tuple[str, str, str, str, int, str, dict[str, Any], int, int]] = [
    ("source_silent", Kind.SOURCE_SILENT, "数据源没有数据", "Data source silent", 2,
     "source_silent", {}, 4, 2),
    ("outage", Kind.OUTAGE, "全体客户用量中断", "Use stopped for all customers", 1,
     "product_outage", {}, 2, 2),
    ("decider_left", Kind.CONTACT_LEFT, "决策人离开", "Decision maker left", 1,
     "decider_changed", {"parts": ["decider"], "days": 30}, 4, 5),
    ("usage_drop", Kind.USAGE_DROP, "用量下降", "Usage drop", 2, "use_low", {}, 9, 10),
    ("dormant", Kind.DORMANT, "停止使用", "Dormant", 2, "use_low", {}, 9, 10),
    ("risk_noted", Kind.RISK_NOTED, "记录的风险", "Risk noted", 2, "other_risk", {}, 9, 10),
    ("churn_jump", Kind.CHURN_JUMP, "断约概率上升", "Churn probability rose", 2,
     "renewal_unsure", {}, 9, 10),
    ("band_d", Kind.BAND_CHANGE, "健康度降到 D", "Health fell to D", 2, "cause_unknown",
     {"bands": ["D"], "days": 28}, 9, 10),
    ("score_drop", Kind.SCORE_DROP, "健康分大幅下降", "Health score fell", 3, "cause_unknown",
     {}, 18, 15),
    ("activation_low", Kind.ACTIVATION_LOW, "上线 45 天激活低", "Few accounts active on day 45", 2,
     "activation_low", {"metric": "seat_use_30d"}, 9, 10),
    ("stage_late", Kind.STAGE_LATE, "上线阶段超期", "Onboarding late", 3,
     "slow_go_live", {}, 18, 15),
    ("slow_slide", Kind.SLOW_SLIDE, "用量缓慢下滑", "Slow slide of use", 4, "use_low", {}, 18, 15),
    ("payment_overdue", Kind.PAYMENT_OVERDUE, "回款逾期", "Payment overdue", 3,
     "payment_late", {}, 18, 15),
    ("renewal_window", Kind.RENEWAL_WINDOW, "续约窗口", "Renewal window", 3,
     "renewal_unsure", {}, 18, 15),
    ("seats_reduced", Kind.SEATS_REDUCED, "席位减少", "Seats reduced", 2,
     "order_shrinks", {}, 9, 10),
    ("sentiment_drop", Kind.SENTIMENT_DROP, "CSM 判断转差", "Sentiment fell", 3, "cause_unknown",
     {"metric": SENTIMENT, "enter": 1, "drop": 2, "days": 90}, 18, 15),
    ("seats_full", Kind.SEATS_FULL, "席位快用满", "Seats nearly full", 3, "seats_full",
     {"metric": "seat_use_30d"}, 18, 15),
    # within 48 hours: two working days to the first answer
    ("survey_low", Kind.SURVEY_LOW, "问卷打了低分", "Low survey answer", 2,
     "cause_unknown", {}, 18, 10),
    ("asked_for", Kind.ASKED_FOR, "SOP 要求处理", "Asked for by an SOP", 3,
     "cause_unknown", {}, 18, 10),
    ("champion_left", Kind.CONTACT_LEFT, "拥护者离开", "Champion left", 3, "champion_changed",
     {"parts": ["champion"], "days": 30}, 18, 15),
]  # fmt: skip
ONBOARDING = ("handover", "kickoff", "rollout")
# came after the first deployments: they get these too, once; what was retired stays retired
LATER = (
    "payment_overdue",
    "renewal_window",
    "seats_reduced",
    "churn_jump",
    "risk_noted",
    "sentiment_drop",
    "seats_full",
    "survey_low",
    "asked_for",
)


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Create the default causes and rules on a deployment that has no rule; returns how many.

    On a deployment that has some only those of `LATER` that it never had are added.
    """
    known = set(AlertRule.objects.values_list("key", flat=True))
    wanted = [row for row in RULES if row[0] not in known and (not known or row[0] in LATER)]
    if not wanted:
        return 0
    causes = _install_causes(now)
    for key, kind, zh, en, severity, cause, params, hours, days in wanted:
        AlertRule.objects.create(
            key=key,
            kind=kind,
            name_zh=zh,
            name_en=en,
            severity=severity,
            cause=causes[cause],
            params=clean_params(kind, params),
            scope=_scope(kind),
            first_response_hours=hours,
            resolve_days=days,
            position=_PLACES[key],
            created_at=now,
            updated_at=now,
        )
    return len(wanted)


_PLACES = {row[0]: (place + 1) * 10 for place, row in enumerate(RULES)}


def _install_causes(now: datetime) -> dict[str, RiskCause]:
    found = {cause.key: cause for cause in RiskCause.objects.all()}
    for place, (key, zh, en, grade, below) in enumerate(CAUSES):
        family = found.get(key) or RiskCause.objects.create(
            key=key, name_zh=zh, name_en=en, grade=grade, position=(place + 1) * 100, created_at=now
        )
        for step, (key_below, zh_below, en_below, grade_below) in enumerate(below):
            found[key_below] = found.get(key_below) or RiskCause.objects.create(
                key=key_below,
                parent=family,
                name_zh=zh_below,
                name_en=en_below,
                grade=grade_below,
                position=(place + 1) * 100 + step + 1,
                created_at=now,
            )
    return found


def _scope(kind: str) -> dict[str, Any]:
    if kind != Kind.STAGE_LATE:
        return {}
    stages = Stage.objects.filter(key__in=ONBOARDING).order_by("pk")
    return {"stages": list(stages.values_list("pk", flat=True))}
