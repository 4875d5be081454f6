from gengyun.health.models.score import HealthScore
from gengyun.health.models.scorecard import Scorecard, ScorecardVersion

__all__ = ["HealthScore", "Scorecard", "ScorecardVersion"]
