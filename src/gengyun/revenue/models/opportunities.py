"""Opportunities: what may be sold, how far it is, what was changed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.revenue.models.catalogue import Product
from gengyun.revenue.models.changes import Change
from gengyun.revenue.models.contracts import Line, OfCustomerQuerySet, Row
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class OpportunityStage(models.Model):
    key = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    probability_bp = models.PositiveIntegerField(default=0)  # 2500 = 25 %
    is_won = models.BooleanField(default=False)
    is_lost = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_zh


class OpportunityKind(models.TextChoices):
    NEW = "new", _("New business")
    UPSELL = "upsell", _("Upsell")
    CROSS_SELL = "cross_sell", _("Cross-sell")
    SERVICE = "service", _("Service")


class Opportunity(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="opportunities")
    kind = models.CharField(max_length=10, choices=OpportunityKind)
    name = models.CharField(max_length=200)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    stage = models.ForeignKey(OpportunityStage, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField(null=True, blank=True)  # a year; service: in all
    currency = models.CharField(max_length=3, default="CNY")
    expected_on = models.DateField(null=True, blank=True)
    next_step = models.CharField(max_length=200, default="", blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities"
    )
    source = models.CharField(max_length=60, default="", blank=True)
    won_line = models.ForeignKey(
        Line, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_on = models.DateField(null=True, blank=True)
    loss_reason = models.CharField(max_length=200, default="", blank=True)
    note = models.CharField(max_length=1000, default="", blank=True)
    external_id = models.CharField(max_length=200, default="", blank=True)  # of an import
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    class Meta:
        ordering = ["expected_on", "pk"]
        indexes = [
            models.Index(fields=["stage", "expected_on"], name="opportunity_stage"),
            models.Index(fields=["customer", "expected_on"], name="opportunity_customer"),
            models.Index(
                fields=["external_id"], name="opportunity_external", condition=~Q(external_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OfOpportunityQuerySet(models.QuerySet[Row]):
    def visible_to(self, actor: User | None) -> "OfOpportunityQuerySet[Row]":
        return self.filter(customer_scope(actor, owner="opportunity__customer__owner"))


class OpportunityChange(Change):
    """Append-only."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="changes")

    objects = OfOpportunityQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["opportunity", "at"], name="opportunity_change")]
