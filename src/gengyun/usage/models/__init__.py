from gengyun.usage.models.metric import Measure, Metric
from gengyun.usage.models.people import ProductUser, UserAlias
from gengyun.usage.models.source import (
    Arrival,
    DrainState,
    LiveState,
    QuarantinedEvent,
    Source,
    WriteKey,
)

__all__ = [
    "Arrival",
    "DrainState",
    "LiveState",
    "Measure",
    "Metric",
    "ProductUser",
    "QuarantinedEvent",
    "Source",
    "UserAlias",
    "WriteKey",
]
