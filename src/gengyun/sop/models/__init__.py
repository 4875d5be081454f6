from gengyun.sop.models.run import Decision, Run, StepRun
from gengyun.sop.models.sop import Sop, SopVersion

__all__ = ["Decision", "Run", "Sop", "SopVersion", "StepRun"]
