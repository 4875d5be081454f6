"""What holds for every rule: budget, gaps, working hours, and the marks that budgets set."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.customers.models import Tier


class AlertPolicy(models.Model):
    # new work items per CSM and day; what goes beyond waits in the digest. Severity 1 always passes
    daily_budget = models.PositiveSmallIntegerField(default=3)
    # what the mark of the churn probability is set by: new alerts per CSM and week, and per 100
    # customers of a tier and month (alerts.calc.thresholds)
    churn_weekly = models.PositiveSmallIntegerField(default=3)
    churn_monthly_per_hundred = models.PositiveSmallIntegerField(default=4)
    parent_days = models.PositiveSmallIntegerField(default=3)  # families within: one parent
    raise_gap_days = models.PositiveSmallIntegerField(default=7)  # between two rises of severity
    reopen_days = models.PositiveSmallIntegerField(default=30)  # after a close: only if worse
    snooze_days = models.PositiveSmallIntegerField(default=30)  # the longest snooze
    # the hours of a working day that a response time counts
    day_starts_hour = models.PositiveSmallIntegerField(default=9)
    day_ends_hour = models.PositiveSmallIntegerField(default=18)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"budget {self.daily_budget}"


class ChurnMark(models.Model):
    """From which churn probability on a customer of the tier becomes an alert (T of R3).

    Set by the budget once a month and kept in between, so that nobody comes and goes because the
    mark moved. What an administrator says in the settings of the churn probability wins over it.
    """

    class Basis(models.TextChoices):
        HISTORY = "history"  # as many would have opened in the weeks behind us
        STOCK = "stock"  # too few weeks: from how many stand above it today
        FLOOR = "floor"  # the budget would allow more: the tier's own base rate holds it up

    tier = models.OneToOneField(  # null: customers without a tier
        Tier, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    value = models.FloatField()
    monthly = models.FloatField()  # alerts expected a month at this mark
    customers = models.PositiveIntegerField()  # of the tier that have a forecast
    basis = models.CharField(max_length=8, choices=Basis)
    set_on = models.DateField()

    if TYPE_CHECKING:
        tier_id: int | None

    class Meta:
        ordering = [models.F("tier__position").asc(nulls_last=True), "pk"]

    def __str__(self) -> str:
        return f"{self.tier_id} {self.value:.2f}"
