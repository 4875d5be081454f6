"""Models of the churn probability: what they learned is frozen when they are made.

A row never changes what it says of a customer: a recalibration is a further row with the same
content and another `intercept_shift`. So the model of a forecast explains it for ever.
"""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    """What the probability is of."""

    NON_RENEWAL = "non_renewal", _("Not renewed")
    SILENT = "silent", _("Falls silent")  # the substitute where there are no contracts


class ModelState(models.TextChoices):
    CHAMPION = "champion", _("In use")
    CHALLENGER = "challenger", _("Challenger")
    RETIRED = "retired", _("Retired")


class ChurnModel(models.Model):
    event = models.CharField(max_length=12, choices=Event)
    rung = models.CharField(max_length=2)  # L0 … L3, see calc.ladder
    state = models.CharField(max_length=10, choices=ModelState, default=ModelState.CHALLENGER)
    content = models.JSONField()  # calc.ladder: coefficients and trees, all that scoring needs
    feature_set = models.CharField(max_length=40, default="", blank=True)
    feature_hash = models.CharField(max_length=64, default="", blank=True)
    trained_at = models.DateTimeField()
    cutoff = models.DateField()  # nothing that became known on or after this day went in
    rows = models.PositiveIntegerField(default=0)
    events = models.PositiveIntegerField(default=0)  # decided renewals lost, counted once
    outcomes = models.PositiveIntegerField(default=0)  # decided renewals, counted once
    span_from = models.DateField(null=True, blank=True)  # first and last due date trained on
    span_to = models.DateField(null=True, blank=True)
    settings = models.JSONField(default=dict)  # grace, weights, base rates as they were
    race = models.JSONField(default=dict)  # what was tried and how well it did
    metrics = models.JSONField(default=dict)
    intercept_shift = models.FloatField(default=0.0)  # on the logit, of a recalibration
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followers"
    )
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, default="", blank=True)

    if TYPE_CHECKING:
        previous_id: int | None

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["event", "state"], name="churn_model_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["event"], condition=Q(state="champion"), name="churn_one_champion"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.rung} {self.cutoff}"
