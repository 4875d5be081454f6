"""The audit log: one row for every change, written in the transaction of the change."""

from django.db import models

from gengyun.team.models.user import User


class AuditEntry(models.Model):
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT)  # null: the system
    action = models.CharField(max_length=60)  # verb of the action, e.g. "customer.edit"
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200, default="", blank=True)
    changes = models.JSONField(default=dict)  # field -> [old, new]

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["object_type", "object_id", "-at"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
