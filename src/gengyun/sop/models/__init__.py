from gengyun.sop.models.effect import Effect, RunOutcome
from gengyun.sop.models.run import (
    ACTIVE,
    Decision,
    EventHit,
    Run,
    RunLease,
    StepRun,
    run_of_key,
    step_key_of,
)
from gengyun.sop.models.sop import Sop, SopVersion

__all__ = [
    "ACTIVE",
    "Decision",
    "Effect",
    "EventHit",
    "Run",
    "RunLease",
    "RunOutcome",
    "Sop",
    "SopVersion",
    "StepRun",
    "run_of_key",
    "step_key_of",
]
