from gengyun.tasks.models.comment import TaskComment
from gengyun.tasks.models.event import TaskEvent
from gengyun.tasks.models.file import TaskFile
from gengyun.tasks.models.task import Task

__all__ = ["Task", "TaskComment", "TaskEvent", "TaskFile"]
