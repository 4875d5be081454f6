"""Invoices and payments (回款), apart from signing: neither changes ARR."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.revenue.models.contracts import Contract, OfCustomerQuerySet


class InvoiceStatus(models.TextChoices):
    OPEN = "open", _("Open")
    VOID = "void", _("Void")


class Invoice(models.Model):
    """Whether it is paid follows from the payments; `open` only says that it stands."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    contract = models.ForeignKey(
        Contract, null=True, blank=True, on_delete=models.PROTECT, related_name="invoices"
    )
    number = models.CharField(max_length=80, unique=True)
    issued_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField()  # with tax
    tax_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    status = models.CharField(max_length=4, choices=InvoiceStatus, default=InvoiceStatus.OPEN)
    disputed_since = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    external_id = models.CharField(max_length=200, default="", blank=True)
    known_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_on", "-pk"]
        indexes = [
            models.Index(fields=["customer", "due_on"], name="invoice_customer_due"),
            models.Index(fields=["due_on"], name="invoice_open_due", condition=Q(status="open")),
        ]
        constraints = [models.CheckConstraint(condition=~Q(number=""), name="invoice_has_number")]

    def __str__(self) -> str:
        return self.number


class Payment(models.Model):
    """Money received; a refund is negative. Append-only: a slip is a payment of the opposite."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    received_on = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    number = models.CharField(max_length=80, default="", blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    external_id = models.CharField(max_length=200, default="", blank=True)
    known_at = models.DateTimeField()

    objects = OfCustomerQuerySet.as_manager()

    class Meta:
        ordering = ["-received_on", "-pk"]
        indexes = [models.Index(fields=["customer", "received_on"], name="payment_customer")]
        constraints = [
            models.UniqueConstraint(
                fields=["number"], name="payment_number_once", condition=~Q(number="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.received_on} {self.amount_minor} {self.currency}"
