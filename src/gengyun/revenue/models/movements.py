"""The ledger: every ARR figure is the sum of these rows. Append-only, never edited."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.revenue.models.catalogue import Product
from gengyun.revenue.models.contracts import Contract, Line, OfCustomerQuerySet
from gengyun.team.models import User


class MovementKind(models.TextChoices):
    NEW = "new", _("New")
    RENEW = "renew", _("Renewal")
    UPSELL = "upsell", _("Upsell")
    CROSS_SELL = "cross_sell", _("Cross-sell")
    PRICE_CHANGE = "price_change", _("Price change")
    DOWNSELL = "downsell", _("Downsell")
    PAUSE = "pause", _("Pause")
    RESUME = "resume", _("Resumed")
    CHURN = "churn", _("Churn")
    WIN_BACK = "win_back", _("Win-back")
    CORRECTION = "correction", _("Correction")
    # from a line to its successor: two rows that add up to nothing
    TRANSFER = "transfer", _("Carried over")


class Movement(models.Model):
    """A change of ARR, from `effective_on` on, known to us from `known_at` on.

    A renewal at the same price is a row with `arr_minor` 0 and `due_minor` set: nothing moved, but
    something that was due was answered.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="movements")
    contract = models.ForeignKey(
        Contract, null=True, blank=True, on_delete=models.PROTECT, related_name="movements"
    )
    line = models.ForeignKey(
        Line, null=True, blank=True, on_delete=models.PROTECT, related_name="movements"
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group = models.CharField(max_length=80, default="", blank=True)  # of the line
    kind = models.CharField(max_length=12, choices=MovementKind)
    effective_on = models.DateField()
    arr_minor = models.BigIntegerField()  # signed change of yearly recurring revenue, without tax
    currency = models.CharField(max_length=3)
    seats_delta = models.IntegerField(null=True, blank=True)  # null: seats are not known
    due_on = models.DateField(null=True, blank=True)  # the due date that this answers
    due_minor = models.BigIntegerField(null=True, blank=True)  # ARR that was due then
    signed_on = models.DateField(null=True, blank=True)
    cause = models.CharField(max_length=60, default="", blank=True)  # key of a loss cause
    involuntary = models.BooleanField(default=False)  # bankruptcy, unpaid bills: not a decision
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    note = models.CharField(max_length=500, default="", blank=True)
    known_at = models.DateTimeField()
    created_at = models.DateTimeField()
    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int
        contract_id: int | None
        line_id: int | None
        product_id: int | None
        corrects_id: int | None

    class Meta:
        ordering = ["effective_on", "pk"]
        indexes = [
            models.Index(fields=["customer", "effective_on"], name="movement_customer"),
            models.Index(fields=["effective_on", "kind"], name="movement_day"),
            models.Index(fields=["known_at"], name="movement_known"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.effective_on} {self.kind} {self.arr_minor}"
