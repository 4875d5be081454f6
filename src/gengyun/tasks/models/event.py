"""What happened to a task; what a person did carries the state before, so that it can be undone."""

from django.db import models
from django.db.models import Q

from gengyun.tasks.models.task import Task
from gengyun.team.models import User


class TaskEvent(models.Model):
    class Kind(models.TextChoices):
        CREATED = "created"
        EDITED = "edited"
        ASSIGNED = "assigned"  # by hand, or because the customer has another owner
        MOVED = "moved"  # another due day
        STARTED = "started"
        STOPPED = "stopped"
        SNOOZED = "snoozed"
        WOKEN = "woken"
        DONE = "done"
        DROPPED = "dropped"
        REOPENED = "reopened"
        COMMENTED = "commented"
        FILED = "filed"
        UNFILED = "unfiled"
        UNDONE = "undone"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    detail = models.JSONField(default=dict)  # field -> [old, new]
    # one press of a button, on one task or on many: what an undo takes back; "" for the system
    batch = models.CharField(max_length=32, default="", blank=True)
    before = models.JSONField(null=True)  # the fields before the change
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["task", "at"], name="task_event_log"),
            # most are the system's
            models.Index(
                fields=["actor"], name="task_event_actor", condition=Q(actor__isnull=False)
            ),
            models.Index(fields=["batch"], name="task_event_batch", condition=~Q(batch="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.task_id}"
