from gengyun.sop.models.effect import Effect, RunOutcome
from gengyun.sop.models.run import ACTIVE, Decision, EventHit, Run, StepRun
from gengyun.sop.models.sop import Sop, SopVersion

__all__ = [
    "ACTIVE",
    "Decision",
    "Effect",
    "EventHit",
    "Run",
    "RunOutcome",
    "Sop",
    "SopVersion",
    "StepRun",
]
