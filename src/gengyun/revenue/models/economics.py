"""What revenue costs and what customers could spend; the settings of this package."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.revenue.models.contracts import OfCustomerQuerySet
from gengyun.team.models import User


class SpendKind(models.TextChoices):
    SALES_MARKETING = "sales_marketing", _("Sales and marketing")
    CS = "cs", _("Customer success")
    SALARY = "salary", _("Salary")
    COGS = "cogs", _("Cost of delivery")


class Spend(models.Model):
    """Money spent in a month; `user` says whose salary it is. A later `known_at` adds a row."""

    kind = models.CharField(max_length=16, choices=SpendKind)
    month = models.DateField()  # its first day
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=200, default="", blank=True)
    external_id = models.CharField(max_length=200, default="", blank=True)
    known_at = models.DateTimeField()

    class Meta:
        ordering = ["month", "kind", "pk"]
        indexes = [models.Index(fields=["kind", "month"], name="spend_month")]

    def __str__(self) -> str:
        return f"{self.month} {self.kind} {self.amount_minor}"


class WalletBudget(models.Model):
    """What a customer says it spends a year in a category; the latest known statement holds."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="budgets")
    category = models.CharField(max_length=80)
    year = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    said_by = models.CharField(max_length=120, default="", blank=True)
    said_on = models.DateField(null=True, blank=True)
    author = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    known_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    class Meta:
        ordering = ["customer", "-year", "category", "-known_at", "-pk"]
        indexes = [models.Index(fields=["customer", "year"], name="budget_customer_year")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="budget_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.year} {self.category}"


class RevenueSettings(models.Model):
    """One row (pk 1), see `queries.settings.current`."""

    base_currency = models.CharField(max_length=3, default="CNY")
    policies = models.JSONField(default=dict, blank=True)  # name of a policy -> choice
    loss_grace_days = models.PositiveSmallIntegerField(default=30)
    # share of renewals the company says it has; the forecast starts from it. null: unknown
    stated_renewal_bp = models.PositiveIntegerField(null=True, blank=True)
    capacity_low = models.DecimalField(max_digits=6, decimal_places=2, default=20)
    capacity_high = models.DecimalField(max_digits=6, decimal_places=2, default=30)
    gross_margin_bp = models.PositiveIntegerField(null=True, blank=True)  # null: unknown
    tier_weights = models.JSONField(default=dict, blank=True)  # tier key -> weight
    updated_at = models.DateTimeField(null=True, blank=True)
    updated_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="revenue_settings_one_row")]

    def __str__(self) -> str:
        return self.base_currency
