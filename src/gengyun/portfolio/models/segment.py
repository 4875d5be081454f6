"""A named condition over customers or their contacts, with who was in it when."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Contact, Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, actor: User | None) -> "SegmentQuerySet":
        """One's own and what is shared; whom a segment shows is decided by the customers' scope."""
        return self if actor is None else self.filter(Q(is_shared=True) | Q(owner=actor))


class Segment(models.Model):
    class Of(models.TextChoices):
        CUSTOMER = "customer", _("Customers")
        CONTACT = "contact", _("Contacts")
        PRODUCT = "product", _("Products of customers")

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    of = models.CharField(max_length=8, choices=Of, default=Of.CUSTOMER)
    expression = models.JSONField(default=dict)  # portfolio.calc.expressions
    # of contacts: the parts they play; of products: their keys; empty: all
    narrowed_to = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    is_shared = models.BooleanField(default=False)
    followed_on = models.DateField(null=True)  # the newest day of its history
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    objects = SegmentQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class SegmentPin(models.Model):
    """A person says: in whatever the condition says, or out."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="pins")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    is_in = models.BooleanField()
    reason = models.CharField(max_length=200, default="", blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="one_pin_per_customer")
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}.{self.customer_id}"


class SegmentStayQuerySet(models.QuerySet["SegmentStay"]):
    def visible_to(self, actor: User | None) -> "SegmentStayQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))

    def on(self, day) -> "SegmentStayQuerySet":
        """Who was in on the day."""
        return self.filter(Q(to_on__isnull=True) | Q(to_on__gt=day), from_on__lte=day)


class SegmentStay(models.Model):
    """From its first day in the segment to the first day out of it, half-open."""

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="stays", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="segment_stays")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="+")
    product_key = models.CharField(max_length=60, default="", blank=True)
    identity = models.CharField(max_length=90)  # "c:12", "k:7", "p:12:suite"
    from_on = models.DateField()
    to_on = models.DateField(null=True)

    objects = SegmentStayQuerySet.as_manager()

    class Meta:
        ordering = ["-from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "identity"],
                condition=Q(to_on__isnull=True),
                name="one_open_segment_stay",
            )
        ]
        indexes = [models.Index(fields=["segment", "to_on", "customer"], name="segment_members")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.identity}"
