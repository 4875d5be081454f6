"""What comes due, what was thought of it at each moment, and what became of it."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer, Tier
from gengyun.revenue.models.catalogue import Product
from gengyun.revenue.models.changes import Change
from gengyun.revenue.models.contracts import Line, OfCustomerQuerySet, Row
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


def rise(asked_minor: int | None, due_minor: int) -> float | None:
    return None if asked_minor is None or due_minor <= 0 else asked_minor / due_minor - 1


class RenewalState(models.TextChoices):
    OPEN = "open", _("Open")
    RENEWED = "renewed", _("Renewed")
    LOST = "lost", _("Lost")
    MERGED = "merged", _("Part of another renewal")


class Category(models.TextChoices):
    """Forecast categories of the domain."""

    SIGNED = "signed", _("Signed")
    COMMIT = "commit", _("Commit")
    EXPECTED = "expected", _("Expected")
    AT_RISK = "at_risk", _("At risk")
    LOST = "lost", _("Lost")
    UNJUDGED = "unjudged", _("Not judged")


class Renewal(models.Model):
    """One per group of lines of a customer that come due on one day."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="renewals")
    group = models.CharField(max_length=80)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField()  # the last day covered
    due_minor = models.BigIntegerField()  # ARR that comes due
    currency = models.CharField(max_length=3, default="CNY")
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="renewals"
    )
    state = models.CharField(max_length=8, choices=RenewalState, default=RenewalState.OPEN)
    category = models.CharField(max_length=8, choices=Category, default=Category.UNJUDGED)
    forecast_minor = models.BigIntegerField(null=True, blank=True)  # null: nobody said
    # ARR asked of the customer for the next term, as it was told them; null: nobody said. When it
    # was known is in the changes: a forecast and a snapshot know it from then on
    asked_minor = models.BigIntegerField(null=True, blank=True)
    outcome_minor = models.BigIntegerField(null=True, blank=True)  # ARR after; null: open
    decided_on = models.DateField(null=True, blank=True)
    successor = models.ForeignKey(
        Line, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="absorbed"
    )
    cause = models.CharField(max_length=60, default="", blank=True)
    involuntary = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, default="", blank=True)
    amount_updated_at = models.DateTimeField(null=True, blank=True)
    # what the facts say on `signal_on`, apart from people; calc.checkpoints.signal
    signal = models.CharField(max_length=8, default="", blank=True)  # renew, watch, risk, unknown
    signal_why = models.JSONField(default=list, blank=True)
    signal_on = models.DateField(null=True, blank=True)
    gap = models.PositiveSmallIntegerField(default=0)  # category against signal: 0 agree … 3
    # chance of not renewing, of a model that has learned from outcomes; actions.chances
    churn_probability = models.FloatField(null=True, blank=True)
    churn_on = models.DateField(null=True, blank=True)  # the day it was worked out for
    created_at = models.DateTimeField()
    lines = models.ManyToManyField(Line, through="RenewalLine", related_name="renewals")

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int
        owner_id: int | None
        successor_id: int | None

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [
            models.Index(fields=["due_on", "state"], name="renewal_due"),
            models.Index(fields=["owner", "due_on"], name="renewal_owner_due"),
            models.Index(fields=["customer", "due_on"], name="renewal_customer_due"),
            # all that the totals of a quarter read: one pass over this and none over the table
            models.Index(
                fields=[
                    "due_on",
                    "currency",
                    "category",
                    "state",
                    "gap",
                    "due_minor",
                    "forecast_minor",
                    "churn_probability",
                    "customer",
                ],
                name="renewal_totals",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "group", "due_on", "currency"],
                name="renewal_once",
                condition=~Q(state="merged"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.group} {self.due_on}"

    @property
    def rise(self) -> float | None:
        """Share by which more is asked than comes due; None: nobody said, or nothing comes due."""
        return rise(self.asked_minor, self.due_minor)


class RenewalLine(models.Model):
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="renewal_lines")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="renewal_lines")
    due_minor = models.BigIntegerField()  # ARR of this line that comes due

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["renewal", "line"], name="renewal_line_once"),
        ]


class OfRenewalQuerySet(models.QuerySet[Row]):
    def visible_to(self, actor: User | None) -> "OfRenewalQuerySet[Row]":
        return self.filter(customer_scope(actor, owner="renewal__customer__owner"))


class RenewalChange(Change):
    """Who changed what from what to what and why. Append-only: the forecast of a past day."""

    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="changes")

    objects = OfRenewalQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["renewal", "field", "at"], name="renewal_change_as_of"),
            models.Index(fields=["at", "field"], name="renewal_change_week"),  # what a week changed
        ]


class SelfCheck(models.Model):
    """The four questions: 1 terms, 2 expectation, 3 relation to the decider, 4 promises."""

    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="self_checks")
    question = models.PositiveSmallIntegerField()
    auto_answer = models.CharField(max_length=8, default="", blank=True)  # yes, no, "" unknown
    evidence = models.JSONField(default=list)
    answer = models.CharField(max_length=8, default="", blank=True)  # of the CSM
    note = models.CharField(max_length=500, default="", blank=True)
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(null=True, blank=True)

    objects = OfRenewalQuerySet.as_manager()

    class Meta:
        ordering = ["renewal", "question"]
        constraints = [
            models.UniqueConstraint(fields=["renewal", "question"], name="self_check_once"),
            models.CheckConstraint(
                condition=Q(question__gte=1) & Q(question__lte=4), name="self_check_of_four"
            ),
        ]


class CheckpointState(models.TextChoices):
    WAITING = "waiting", _("Waiting for the CSM")
    AGREED = "agreed", _("Agreed")
    DISPUTED = "disputed", _("For a leader to decide")
    DECIDED = "decided", _("Decided")
    CLOSED = "closed", _("Closed")


class Checkpoint(models.Model):
    """180 and 90 days before: the signal beside the CSM's view; a leader decides differences."""

    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="checkpoints")
    days = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    signal = models.CharField(max_length=8, default="", blank=True)  # renew, watch, churn, ""
    signal_why = models.JSONField(default=list)
    view = models.CharField(max_length=8, default="", blank=True)
    view_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    view_at = models.DateTimeField(null=True, blank=True)
    view_why = models.CharField(max_length=500, default="", blank=True)
    decided = models.CharField(max_length=8, default="", blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_why = models.CharField(max_length=500, default="", blank=True)
    state = models.CharField(max_length=8, choices=CheckpointState, default=CheckpointState.WAITING)
    opened_at = models.DateTimeField()

    objects = OfRenewalQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["state", "due_on"], name="checkpoint_state")]
        constraints = [
            models.UniqueConstraint(fields=["renewal", "days"], name="checkpoint_once"),
        ]


class RenewalSnapshot(models.Model):
    """What the forecast said on a Monday, row by row: accuracy is measured against these."""

    as_of = models.DateField()
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="snapshots")
    category = models.CharField(max_length=8, choices=Category)
    forecast_minor = models.BigIntegerField(null=True, blank=True)
    due_minor = models.BigIntegerField()
    probability = models.FloatField(null=True, blank=True)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    tier = models.ForeignKey(
        Tier, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = OfRenewalQuerySet.as_manager()

    class Meta:
        ordering = ["as_of", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["as_of", "renewal"], name="renewal_snapshot_once"),
        ]
