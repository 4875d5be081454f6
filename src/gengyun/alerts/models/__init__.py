from gengyun.alerts.models.alert import Alert, AlertEvent
from gengyun.alerts.models.cause import RiskCause
from gengyun.alerts.models.episode import AlertDay, Episode, Suppression
from gengyun.alerts.models.policy import AlertPolicy, ChurnMark
from gengyun.alerts.models.rule import AlertRule

__all__ = [
    "Alert",
    "AlertDay",
    "AlertEvent",
    "AlertPolicy",
    "AlertRule",
    "ChurnMark",
    "Episode",
    "RiskCause",
    "Suppression",
]
