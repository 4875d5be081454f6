"""Contracts and their lines, as signed. A line is append-only: a change is a further line."""

from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.revenue.models.catalogue import Edition, Product
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope

Row = TypeVar("Row", bound=models.Model)


class OfCustomerQuerySet(models.QuerySet[Row]):
    """Rows that hang on a customer are seen by those who see the customer."""

    def visible_to(self, actor: User | None) -> "OfCustomerQuerySet[Row]":
        return self.filter(customer_scope(actor, owner="customer__owner"))


class ContractKind(models.TextChoices):
    FIXED = "fixed", _("Fixed term")
    OPEN = "open", _("Open-ended")
    PERPETUAL = "perpetual", _("Bought out")


class Contract(models.Model):
    """What was signed. Days are inclusive: a contract of 2026 ends on 2026-12-31."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contracts")
    number = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=10, choices=ContractKind, default=ContractKind.FIXED)
    signed_on = models.DateField(null=True, blank=True)  # null: used before it was signed
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    auto_renew = models.BooleanField(default=False)
    notice_days = models.PositiveSmallIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    billing_interval_months = models.PositiveSmallIntegerField(null=True, blank=True)
    is_prepaid = models.BooleanField(default=True)
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="next_contracts"
    )
    ended_on = models.DateField(null=True, blank=True)  # last day, if it ended early
    end_reason = models.CharField(max_length=200, default="", blank=True)
    note = models.CharField(max_length=1000, default="", blank=True)
    source = models.CharField(max_length=40, default="", blank=True)  # "", import, demo, ...
    external_id = models.CharField(max_length=200, default="", blank=True)
    known_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int
        previous_id: int | None

    class Meta:
        ordering = ["-starts_on", "-pk"]
        indexes = [
            models.Index(fields=["customer", "starts_on"], name="contract_customer"),
            models.Index(
                fields=["external_id"], name="contract_external", condition=~Q(external_id="")
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(number=""), name="contract_has_number"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="contract_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class LineKind(models.TextChoices):
    SUBSCRIPTION = "subscription", _("Subscription")
    MAINTENANCE = "maintenance", _("Maintenance")
    LICENCE = "licence", _("Licence")
    ONE_OFF = "one_off", _("One-off")
    USAGE = "usage", _("Usage-based")


class Line(models.Model):
    """One thing of a contract, with its ARR by the rule named in `rule`. Append-only.

    `amount_minor` is what is paid for `paid_months` (the whole line; of an open-ended line, one
    billing interval), as signed: with tax where `tax_included`. `arr_minor` is without tax.
    A row that turns out wrong is voided (`voided_at`) and replaced by one that `corrects` it.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="lines")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    edition = models.ForeignKey(
        Edition, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group = models.CharField(max_length=80)  # what renews what; default the product's family
    kind = models.CharField(max_length=12, choices=LineKind, default=LineKind.SUBSCRIPTION)
    seats = models.PositiveIntegerField(null=True, blank=True)
    amount_minor = models.BigIntegerField()
    tax_included = models.BooleanField(default=False)
    tax_rate_bp = models.PositiveIntegerField(null=True, blank=True)  # 600 = 6 %
    list_minor = models.BigIntegerField(null=True, blank=True)
    discount_bp = models.PositiveIntegerField(null=True, blank=True)  # 1500 = 15 % off
    discount_is_forever = models.BooleanField(default=True)
    currency = models.CharField(max_length=3, default="CNY")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)  # last day, gift days included
    paid_months = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    gift_days = models.PositiveIntegerField(default=0)
    is_trial = models.BooleanField(default=False)
    committed_minor = models.BigIntegerField(null=True, blank=True)  # usage: a year's commitment
    maintenance_base_minor = models.BigIntegerField(null=True, blank=True)  # the licence's price
    rule = models.CharField(max_length=40)  # key of calc.normalise.RULES
    arr_minor = models.BigIntegerField()
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors"
    )
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    external_id = models.CharField(max_length=200, default="", blank=True)
    known_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        contract_id: int
        customer_id: int
        product_id: int
        edition_id: int | None
        previous_id: int | None
        corrects_id: int | None

    class Meta:
        ordering = ["starts_on", "pk"]
        indexes = [
            models.Index(fields=["customer", "group", "starts_on"], name="line_customer_group"),
            models.Index(fields=["ends_on"], name="line_ends"),
            models.Index(
                fields=["external_id"], name="line_external", condition=~Q(external_id="")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="line_ends_after_start",
            ),
            models.CheckConstraint(condition=~Q(group=""), name="line_has_group"),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} / {self.product_id} {self.starts_on}"
