"""Today's churn probability; those of past days are in the lake table `churn_forecasts`."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from gengyun.churn.models.model import ChurnModel, Event
from gengyun.customers.models import Customer, Tier
from gengyun.revenue.models import Renewal
from gengyun.revenue.models.contracts import OfCustomerQuerySet


class ChurnForecast(models.Model):
    """One per open renewal, or one per customer where the event is not a renewal.

    `probability` is that of the event on `due_on`; null with the reason in `refused`. p30, p90 and
    p180 are of leaving within so many days from `as_of`, by ending early or by not renewing.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="churn_forecasts")
    renewal = models.ForeignKey(
        Renewal, null=True, blank=True, on_delete=models.CASCADE, related_name="churn_forecasts"
    )
    as_of = models.DateField()
    event = models.CharField(max_length=12, choices=Event)
    due_on = models.DateField(null=True, blank=True)
    lag_days = models.IntegerField(null=True, blank=True)  # from as_of to due_on; below 0: overdue
    probability = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)  # 80% interval
    high = models.FloatField(null=True, blank=True)
    base = models.FloatField(null=True, blank=True)  # were every input ordinary: drivers begin here
    p30 = models.FloatField(null=True, blank=True)
    p90 = models.FloatField(null=True, blank=True)
    p180 = models.FloatField(null=True, blank=True)
    grade = models.CharField(max_length=1, default="", blank=True)  # A B C, "" refused
    refused = models.CharField(max_length=40, default="", blank=True)  # calc.grade: the reason
    # [{feature, points, fact: {...}, contribution}], strongest first, at most five
    drivers = models.JSONField(default=list)
    missing = models.JSONField(default=list)  # keys of inputs nobody knows
    # [{key, probability, drop, set: {feature: value}}], see calc.drivers.CHANGES
    counterfactuals = models.JSONField(default=list)
    # [[ISO day, probability, low, high, model id], ...]: weekly, oldest first, the last is as_of
    history = models.JSONField(default=list)
    model = models.ForeignKey(
        ChurnModel, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    feature_hash = models.CharField(max_length=64, default="", blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True)  # ARR that comes due
    currency = models.CharField(max_length=3, default="", blank=True)
    tier = models.ForeignKey(
        Tier, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    computed_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int
        renewal_id: int | None
        model_id: int | None
        tier_id: int | None

    class Meta:
        ordering = ["customer", "due_on", "pk"]
        indexes = [models.Index(fields=["customer", "due_on"], name="churn_forecast_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["renewal"], condition=Q(renewal__isnull=False), name="churn_once_renewal"
            ),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(renewal__isnull=True), name="churn_once_customer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of} {self.due_on}"
