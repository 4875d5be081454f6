"""The work item that an episode opens, and the log of everything that happened to it."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.alerts.models.cause import RiskCause
from gengyun.alerts.models.rule import AlertRule
from gengyun.customers.models import Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, actor: User | None) -> "AlertQuerySet":
        """Alerts of customers the actor may see, what was given to them, company-wide incidents."""
        if actor is None:
            return self
        scope = customer_scope(actor, owner="customer__owner")
        return self.filter(scope | Q(owner=actor) | Q(customer__isnull=True)) if scope else self

    def open(self) -> "AlertQuerySet":
        """Not closed: open or snoozed."""
        return self.exclude(state=Alert.State.CLOSED)

    def tickets(self) -> "AlertQuerySet":
        """Work items of their own: not parts of a parent."""
        return self.filter(parent__isnull=True)


class Alert(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")

    class Verdict(models.TextChoices):
        TRUE = "true", _("True")
        FALSE = "false", _("False alarm")
        KNOWN = "known", _("Known")

    class CloseReason(models.TextChoices):
        MANUAL = "manual", _("Closed by a person")
        CLEARED = "cleared", _("The condition is gone")
        RULE = "rule", _("The rule was changed")
        GONE = "gone", _("The customer is archived")

    customer = models.ForeignKey(  # null: company-wide
        Customer, null=True, on_delete=models.CASCADE, related_name="alerts"
    )
    # one open work item per key: "c:12:adoption" (customer and family), "source:1", "outage"
    key = models.CharField(max_length=120)
    family = models.SlugField(max_length=40)  # key of the top of the cause tree
    rule = models.ForeignKey(  # the rule that opened it; further rules are on the episodes
        AlertRule, on_delete=models.PROTECT, related_name="alerts"
    )
    severity = models.PositiveSmallIntegerField()  # 1 urgent, 2 today, 3 this week, 4 when time
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="alerts")
    opened_on = models.DateField()  # the judged day
    opened_at = models.DateTimeField()
    in_digest = models.BooleanField(default=False)  # beyond the budget, or of least severity
    ticket_on = models.DateField(null=True)  # the judged day on which it counted in the budget
    is_assigned = models.BooleanField(default=False)  # by hand: it stays when the customer moves
    severity_raised_on = models.DateField(null=True)
    last_seen_on = models.DateField()  # the last judged day on which an episode of it held
    # promises of time
    response_due_at = models.DateTimeField(null=True)
    resolve_due_at = models.DateTimeField(null=True)
    responded_at = models.DateTimeField(null=True)
    responded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    escalated_at = models.DateTimeField(null=True)
    escalation_level = models.PositiveSmallIntegerField(default=0)  # 1 no response, 2 not resolved
    escalated_to = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    snoozed_until = models.DateField(null=True)
    snooze_reason = models.CharField(max_length=200, default="", blank=True)
    # the end
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    close_reason = models.CharField(max_length=8, choices=CloseReason, default="", blank=True)
    verdict = models.CharField(max_length=5, choices=Verdict, default="", blank=True)
    cause = models.ForeignKey(  # what it was, as the CSM says at the close
        RiskCause, null=True, on_delete=models.PROTECT, related_name="alerts"
    )
    was_it_us = models.BooleanField(null=True)  # 是你解决的吗? asked after a close by itself
    note = models.TextField(default="", blank=True)
    parent = models.ForeignKey(  # several families within days: one ticket with parts
        "self", null=True, on_delete=models.SET_NULL, related_name="parts"
    )
    previous = models.ForeignKey(  # the closed one it comes back from
        "self", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField()

    objects = AlertQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int | None
        rule_id: int
        owner_id: int | None
        cause_id: int | None
        parent_id: int | None
        previous_id: int | None

    class Meta:
        ordering = ["severity", "opened_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], name="one_open_alert", condition=~Q(state="closed")
            )
        ]
        indexes = [
            models.Index(fields=["owner", "state", "severity"], name="alert_queue"),
            models.Index(fields=["customer", "-opened_at"], name="alert_customer"),
            models.Index(fields=["state", "severity"], name="alert_state"),
            models.Index(fields=["rule", "-closed_at"], name="alert_rule_closed"),
            models.Index(fields=["key", "-opened_at"], name="alert_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.opened_on}"

    @property
    def is_asked(self) -> bool:
        """Closed by itself, and nobody has said yet whether it was us."""
        return (
            self.state == self.State.CLOSED
            and self.close_reason == self.CloseReason.CLEARED
            and self.was_it_us is None
        )


class AlertEvent(models.Model):
    """One line of the log; what a person did carries the state before, so that it can be undone."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        EVIDENCE = "evidence"  # another episode joined
        RAISED = "raised"
        JOINED = "joined"  # became part of a parent
        TO_DIGEST = "to_digest"
        FROM_DIGEST = "from_digest"
        RESPONDED = "responded"
        ASSIGNED = "assigned"
        SNOOZED = "snoozed"
        WOKEN = "woken"
        ESCALATED = "escalated"
        CLOSED = "closed"
        CLEARED = "cleared"
        REOPENED = "reopened"
        JUDGED = "judged"  # verdict, cause or note given after the close
        ANSWERED = "answered"  # 是你解决的吗?
        UNDONE = "undone"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    detail = models.JSONField(default=dict)
    # one press of a button, on one alert or on many: what an undo takes back; "" for the system
    batch = models.CharField(max_length=32, default="", blank=True, db_index=True)
    before = models.JSONField(null=True)  # the fields of alert and episodes before the change
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["alert", "at"], name="alert_event_log")]

    def __str__(self) -> str:
        return f"{self.kind} {self.alert_id}"
