"""What science would have judged and this deployment cannot: it is said, not hidden."""

from gengyun.alerts.calc.params import SPECS
from gengyun.alerts.models import AlertRule
from gengyun.churn.models import ChurnForecast
from gengyun.engagement.models import Answer
from gengyun.health.calc.manual import SENTIMENT
from gengyun.usage.models import Metric

TICKETS = ("ticket", "incident", "工单", "故障")
ANSWERS = ("nps", "survey", "问卷")


def waiting_for() -> list[str]:
    """Keys: churn (no forecast is sure enough for the rule), service (no metric of tickets), nps
    (no answers to surveys, and neither a metric of answers nor a rule that reads one)."""
    found = []
    rules = AlertRule.objects.filter(is_active=True, retired_at__isnull=True)
    jumps = list(rules.filter(kind=AlertRule.Kind.CHURN_JUMP))
    if jumps and not _is_sure(jumps[0]):
        found.append("churn")
    names = [
        f"{row.key} {row.name_zh} {row.name_en}".lower()
        for row in Metric.objects.filter(retired_at__isnull=True)
    ]
    if not _named(names, TICKETS):
        found.append("service")
    reads = rules.filter(kind=AlertRule.Kind.SENTIMENT_DROP)
    if rules.filter(kind=AlertRule.Kind.SURVEY_LOW).exists() and Answer.objects.exists():
        return found
    if not _named(names, ANSWERS) and all(row.params.get("metric") == SENTIMENT for row in reads):
        found.append("nps")
    return found


def _is_sure(rule: AlertRule) -> bool:
    grades = rule.params.get("grades") or getattr(SPECS["churn_jump"]["grades"], "default", ())
    sure = ChurnForecast.objects.filter(probability__isnull=False, grade__in=list(grades))
    return sure.exists()


def _named(names: list[str], words: tuple[str, ...]) -> bool:
    return any(word in name for name in names for word in words)
