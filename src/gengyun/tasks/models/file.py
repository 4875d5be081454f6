"""A file that lies with a task; its bytes lie in the data folder under a name of our own."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.tasks.models.task import Task
from gengyun.team.models import User


class TaskFile(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=200)  # as it was called, cleaned
    stored_path = models.CharField(max_length=200)  # below the folder of files
    byte_count = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)  # the bytes go a month later

    if TYPE_CHECKING:
        added_by_id: int | None

    class Meta:
        ordering = ["added_at", "pk"]
        indexes = [models.Index(fields=["task", "added_at"], name="task_files")]

    def __str__(self) -> str:
        return self.name
