from gengyun.engagement.models.activity import Activity
from gengyun.engagement.models.channel import Channel
from gengyun.engagement.models.delivery import Delivery
from gengyun.engagement.models.risk import Risk

__all__ = ["Activity", "Channel", "Delivery", "Risk"]
