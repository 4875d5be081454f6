"""The forecast as it was said, once a week: kept, so that a past one is never worked out anew."""

from typing import TYPE_CHECKING

from django.db import models


class ForecastRun(models.Model):
    """One forecast of all open renewals, with everything that was believed that day."""

    as_of = models.DateField(unique=True)
    made_at = models.DateTimeField()
    currency = models.CharField(max_length=3)  # of all amounts
    odds = models.JSONField()  # `queries.odds.told`: rates, ratios, delays, quarter effect
    draws = models.PositiveIntegerField()

    if TYPE_CHECKING:
        figures: "models.Manager[ForecastFigure]"

    class Meta:
        ordering = ["as_of"]

    def __str__(self) -> str:
        return f"{self.as_of}"


class ForecastScope(models.TextChoices):
    ALL = "all"
    OWNER = "owner"  # key: a user, 0 for nobody
    TEAM = "team"  # key: a team, with the teams below it
    TIER = "tier"  # key: a tier, 0 for none


class ForecastSpan(models.TextChoices):
    MONTH = "month"
    QUARTER = "quarter"


class ForecastFigure(models.Model):
    """What a run expected of the renewals of one scope that come due in one month or quarter."""

    run = models.ForeignKey(ForecastRun, on_delete=models.CASCADE, related_name="figures")
    scope = models.CharField(max_length=5, choices=ForecastScope)
    key = models.PositiveBigIntegerField(default=0)
    span = models.CharField(max_length=7, choices=ForecastSpan)
    period_on = models.DateField()  # its first day
    count = models.PositiveIntegerField()
    open_count = models.PositiveIntegerField()
    due_minor = models.BigIntegerField()
    settled_minor = models.BigIntegerField()  # what the decided ones came to
    expected_minor = models.BigIntegerField()
    p10_minor = models.BigIntegerField()
    p50_minor = models.BigIntegerField()
    p90_minor = models.BigIntegerField()
    # of what comes due, at most all of it; null: recorded before this was
    gross_expected_minor = models.BigIntegerField(null=True, blank=True)
    gross_p10_minor = models.BigIntegerField(null=True, blank=True)
    gross_p50_minor = models.BigIntegerField(null=True, blank=True)
    gross_p90_minor = models.BigIntegerField(null=True, blank=True)
    said_minor = models.BigIntegerField()  # forecasts of the CSMs, decided ones as they came out
    unjudged_count = models.PositiveIntegerField()

    class Meta:
        ordering = ["run", "scope", "key", "span", "period_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "scope", "key", "span", "period_on"], name="forecast_figure_once"
            ),
        ]
        indexes = [
            models.Index(fields=["scope", "key", "span", "period_on"], name="forecast_figure_of"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key} {self.period_on}"
