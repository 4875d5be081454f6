"""The audit log: one row for every change, written in the transaction of the change."""

from django.db import models
from django.db.models import Q

from gengyun.team.models.user import User


class AuditEntry(models.Model):
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, db_index=False
    )  # null: the system
    action = models.CharField(max_length=60)  # verb of the action, e.g. "customer.edit"
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200, default="", blank=True)
    changes = models.JSONField(default=dict)  # field -> [old, new]

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_object"),
            # most are the system's
            models.Index(fields=["actor"], name="audit_actor", condition=Q(actor__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
