from gengyun.health.models.opinion import HealthOverride, Sentiment
from gengyun.health.models.peers import PeerCurve
from gengyun.health.models.score import HealthScore
from gengyun.health.models.scorecard import (
    HistoryTest,
    Scorecard,
    ScorecardDraft,
    ScorecardOrder,
    ScorecardVersion,
)

__all__ = [
    "HealthOverride",
    "HealthScore",
    "HistoryTest",
    "PeerCurve",
    "Scorecard",
    "ScorecardDraft",
    "ScorecardOrder",
    "ScorecardVersion",
    "Sentiment",
]
