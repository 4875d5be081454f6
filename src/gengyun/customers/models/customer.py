"""The customer, its tags, and what was known about its fields at any past moment."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.customers.models.journey import Stage
from gengyun.customers.models.tier import Tier
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class Tag(models.Model):
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, actor: User | None) -> "CustomerQuerySet":
        return self.filter(customer_scope(actor))

    def present(self) -> "CustomerQuerySet":
        return self.filter(archived_at__isnull=True)


class Customer(models.Model):
    """A company that pays. `None` in a field is unknown and is never 0."""

    external_id = models.CharField(max_length=200, unique=True)  # the id product events use
    name = models.CharField(max_length=200)
    # what similar names have in common (calc.company_names); looked up for duplicates
    name_key = models.CharField(max_length=200, default="", blank=True)
    uscc = models.CharField(max_length=18, default="", blank=True)  # 统一社会信用代码, normal form
    industry = models.CharField(max_length=60, default="", blank=True)
    region = models.CharField(max_length=60, default="", blank=True)  # city or province
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="book"
    )
    tier = models.ForeignKey(Tier, null=True, blank=True, on_delete=models.PROTECT)
    # a manual tier carries author, reason and expiry; while set, rules do not move the customer
    tier_set_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    tier_reason = models.CharField(max_length=200, default="", blank=True)
    tier_until = models.DateField(null=True, blank=True)
    stage = models.ForeignKey(Stage, null=True, blank=True, on_delete=models.PROTECT)
    stage_since = models.DateField(null=True, blank=True)
    arr_minor = models.BigIntegerField(null=True, blank=True)  # fen for CNY
    currency = models.CharField(max_length=3, default="CNY")
    seats = models.PositiveIntegerField(null=True, blank=True)  # bought
    edition = models.CharField(max_length=60, default="", blank=True)
    started_on = models.DateField(null=True, blank=True)
    renews_on = models.DateField(null=True, blank=True)
    tags = models.ManyToManyField(Tag, blank=True)
    next_step = models.CharField(max_length=200, default="", blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    known_at = models.DateTimeField()  # when we first knew of this customer
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int | None
        tier_id: int | None
        stage_id: int | None

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["owner", "name"], name="customer_owner_name"),
            models.Index(
                fields=["name_key"],
                name="customer_name_key",
                condition=models.Q(archived_at__isnull=True) & ~models.Q(name_key=""),
            ),
            models.Index(fields=["uscc"], name="customer_uscc", condition=~models.Q(uscc="")),
        ]

    def __str__(self) -> str:
        return self.name


# Fields whose past matters to metrics and health; every change of one writes a FieldChange.
TRACKED_FIELDS = ("tier_id", "stage_id", "seats", "arr_minor", "renews_on", "started_on", "edition")


class FieldChange(models.Model):
    """The value of a tracked field from `known_at` on (until the next row). Append-only."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="field_changes")
    field = models.CharField(max_length=60)
    value = models.JSONField(null=True)  # number, text, ISO date, or null for unknown
    known_at = models.DateTimeField()

    class Meta:
        ordering = ["known_at", "pk"]
        indexes = [
            models.Index(fields=["field", "customer", "known_at"], name="field_change_as_of"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}.{self.field} = {self.value}"
