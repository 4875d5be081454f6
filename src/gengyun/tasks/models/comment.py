"""What people say to each other about a task."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.tasks.models.task import Task
from gengyun.team.models import User


class TaskComment(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        author_id: int | None

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["task", "created_at"], name="task_comments")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.created_at:%Y-%m-%d}"
