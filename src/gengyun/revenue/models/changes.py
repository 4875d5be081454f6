"""What every kept change says: who changed which field from what to what, when and why."""

from django.db import models

from gengyun.team.models import User


class Change(models.Model):
    """Append-only. Whose change it is, is the foreign key of the model that inherits."""

    at = models.DateTimeField()
    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    field = models.CharField(max_length=40)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    why = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        abstract = True
