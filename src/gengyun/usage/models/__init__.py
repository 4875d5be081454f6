from gengyun.usage.models.metric import Measure, Metric
from gengyun.usage.models.people import ProductUser, UserAlias
from gengyun.usage.models.source import Arrival, DrainState, QuarantinedEvent, Source, WriteKey

__all__ = [
    "Arrival",
    "DrainState",
    "Measure",
    "Metric",
    "ProductUser",
    "QuarantinedEvent",
    "Source",
    "UserAlias",
    "WriteKey",
]
