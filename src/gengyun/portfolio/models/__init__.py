from gengyun.portfolio.models.condition import ConditionState, FieldState, Watch, WatchBlock
from gengyun.portfolio.models.name_pair import NamePair
from gengyun.portfolio.models.saved_view import SavedView
from gengyun.portfolio.models.seen import SeenCounters
from gengyun.portfolio.models.segment import Segment, SegmentPin, SegmentStay
from gengyun.portfolio.models.snooze import Snooze
from gengyun.portfolio.models.summary import CustomerSummary

__all__ = [
    "ConditionState",
    "CustomerSummary",
    "FieldState",
    "NamePair",
    "SavedView",
    "SeenCounters",
    "Segment",
    "SegmentPin",
    "SegmentStay",
    "Snooze",
    "Watch",
    "WatchBlock",
]
