"""Today's score per customer with its explanation; the history of scores is in the lake."""

from django.db import models

from gengyun.customers.models import Customer
from gengyun.health.models.scorecard import ScorecardVersion


class HealthScore(models.Model):
    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE)
    as_of = models.DateField()
    version = models.ForeignKey(ScorecardVersion, on_delete=models.PROTECT)
    score = models.FloatField(null=True)  # after caps, unrounded; null: not enough data
    raw_score = models.FloatField(null=True)  # before caps
    band = models.CharField(max_length=1)  # A B C D, N: not enough data
    coverage = models.FloatField()  # 0..1
    trend = models.CharField(max_length=4, default="", blank=True)  # up, down, flat, "" unknown
    explanation = models.JSONField()  # see health.calc.score.Explanation
    history = models.JSONField(default=list)  # [["2026-11-14", 72.3 or null], ...] weekly, 26
    # what a comparison with a week before needs, see health.calc.diff.slim; null: no such day
    week_ago = models.JSONField(null=True)
    # where other rules began to judge: [["2026-11-14", ScorecardVersion.pk], ...] inside `history`
    marks = models.JSONField(default=list)
    # metrics of factors without live data: ",seat_use_30d,breadth_30d,"
    missing = models.CharField(max_length=1000, default="", blank=True)
    is_overridden = models.BooleanField(default=False)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of} {self.band}"
