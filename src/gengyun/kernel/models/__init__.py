from gengyun.kernel.models.day import DayRun
from gengyun.kernel.models.job import Job, Schedule
from gengyun.kernel.models.outbox import OutboxEvent

__all__ = ["DayRun", "Job", "OutboxEvent", "Schedule"]
