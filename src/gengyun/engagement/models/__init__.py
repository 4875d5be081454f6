from gengyun.engagement.models.activity import Activity
from gengyun.engagement.models.channel import Channel
from gengyun.engagement.models.delivery import Delivery
from gengyun.engagement.models.risk import Risk
from gengyun.engagement.models.survey import Answer, Invitation, Survey, Wave

__all__ = ["Activity", "Answer", "Channel", "Delivery", "Invitation", "Risk", "Survey", "Wave"]
