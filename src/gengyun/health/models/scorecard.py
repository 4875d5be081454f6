"""Scorecards: an ordered list, first match wins, the last is the default; versions keep history."""

from django.db import models

from gengyun.customers.models import Tier
from gengyun.team.models import User


class Scorecard(models.Model):
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    tier = models.ForeignKey(Tier, null=True, blank=True, on_delete=models.PROTECT)  # null: any
    position = models.PositiveSmallIntegerField(unique=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name_zh


class ScorecardVersion(models.Model):
    """One published configuration; see `health.calc.config` for the shape of `config`."""

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    config = models.JSONField()
    effective_from = models.DateField(null=True)  # null: from the beginning
    note = models.CharField(max_length=200, default="", blank=True)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT)

    class Meta:
        ordering = ["scorecard", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "number"], name="version_number")
        ]

    def __str__(self) -> str:
        return f"{self.scorecard} v{self.number}"
