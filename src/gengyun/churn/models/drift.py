"""Whether the world still is as the model learned it, looked at every night."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.churn.models.model import ChurnModel


class DriftCheck(models.Model):
    class Action(models.TextChoices):
        NONE = "none"
        RECALIBRATE = "recalibrate"
        RETRAIN = "retrain"

    as_of = models.DateField()
    model = models.ForeignKey(ChurnModel, on_delete=models.CASCADE, related_name="drift_checks")
    psi = models.JSONField(default=dict)  # feature -> population stability index
    cusum = models.FloatField(null=True, blank=True)  # Σ(y−p)/√Σp(1−p); null: nothing decided
    decided = models.PositiveIntegerField(default=0)  # renewals decided since the model is in use
    action = models.CharField(max_length=12, choices=Action, default=Action.NONE)
    told = models.JSONField(default=dict)  # what was found and said

    if TYPE_CHECKING:
        model_id: int

    class Meta:
        ordering = ["-as_of", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["as_of", "model"], name="churn_drift_once"),
        ]

    def __str__(self) -> str:
        return f"{self.as_of} {self.action}"
