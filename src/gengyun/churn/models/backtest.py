"""How the method would have done on the company's own past; kept as it was found."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.churn.models.model import ChurnModel, Event
from gengyun.team.models import User


class Backtest(models.Model):
    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    event = models.CharField(max_length=12, choices=Event)
    model = models.ForeignKey(
        ChurnModel, null=True, blank=True, on_delete=models.PROTECT, related_name="backtests"
    )
    settings = models.JSONField(default=dict)
    result = models.JSONField(null=True)  # see calc.report, without its rows
    rows = models.JSONField(null=True)  # every tested renewal, as columns: what figures are made of
    error = models.CharField(max_length=300, default="", blank=True)

    if TYPE_CHECKING:
        model_id: int | None

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"backtest {self.pk} {self.event} {self.state}"
