from gengyun.engagement.models.activity import Activity
from gengyun.engagement.models.channel import Channel
from gengyun.engagement.models.delivery import Delivery
from gengyun.engagement.models.risk import Risk
from gengyun.engagement.models.survey import Answer, Invitation, Survey, Wave
from gengyun.engagement.models.touch import (
    Category,
    MailAddress,
    OptOut,
    Touch,
    TouchPolicy,
    TouchPreference,
    TouchTemplate,
)

__all__ = [
    "Activity",
    "Answer",
    "Category",
    "Channel",
    "Delivery",
    "Invitation",
    "MailAddress",
    "OptOut",
    "Risk",
    "Survey",
    "Touch",
    "TouchPolicy",
    "TouchPreference",
    "TouchTemplate",
    "Wave",
]
