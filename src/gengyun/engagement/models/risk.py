"""What somebody learned that puts a customer at risk: a dated fact with a cause, never edited.

Taking it back sets `ended_at`, as settling it does; a judgement of a past day sees what was known
before that day. It is no guess from numbers: those are health, churn probability and alerts.
"""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.customers.models import Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class RiskQuerySet(models.QuerySet["Risk"]):
    def visible_to(self, actor: User | None) -> "RiskQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))


class Risk(models.Model):
    class End(models.TextChoices):
        SETTLED = "settled"  # it was a risk, and is none any more
        MISTAKEN = "mistaken"  # it never was: nothing may learn from it

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="risks")
    cause = models.SlugField(max_length=40)  # key in the tree of risk causes
    happened_on = models.DateField()
    note = models.CharField(max_length=300, default="", blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end = models.CharField(max_length=8, choices=End, default="", blank=True)

    objects = RiskQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int

    class Meta:
        ordering = ["-happened_on", "-pk"]
        indexes = [models.Index(fields=["customer", "-happened_on"], name="risk_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.cause} {self.happened_on}"
