"""A condition over time; what was evaluated; and what was not opened, with the reason."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.alerts.models.alert import Alert
from gengyun.alerts.models.rule import AlertRule
from gengyun.customers.models import Customer


class Episode(models.Model):
    """One rule that holds for one customer (or the company) from `opened_on` to `closed_on`."""

    class State(models.TextChoices):
        WATCHING = "watching"  # entered, but not yet for the evaluations that the rule asks for
        OPEN = "open"
        CLOSED = "closed"

    class End(models.TextChoices):
        CLEARED = "cleared"  # the condition is gone
        MANUAL = "manual"  # a person closed the work item while it held
        RULE = "rule"  # the rule was changed, switched off or retired
        GONE = "gone"  # the customer is archived or out of the rule's scope

    rule = models.ForeignKey(AlertRule, on_delete=models.PROTECT, related_name="episodes")
    rule_version = models.PositiveIntegerField(default=1)
    customer = models.ForeignKey(  # null: company-wide
        Customer, null=True, on_delete=models.CASCADE, related_name="episodes"
    )
    dedupe_key = models.CharField(max_length=120)  # "c:12", "c:12:contact:5", "source:1", "outage"
    alert = models.ForeignKey(  # at most one work item per episode; null: none was opened
        Alert, null=True, on_delete=models.SET_NULL, related_name="episodes"
    )
    state = models.CharField(max_length=8, choices=State)
    opened_on = models.DateField()  # the judged day
    last_seen_on = models.DateField()  # the last judged day on which it held
    judged_on = models.DateField()  # the last judged day that counted
    closed_on = models.DateField(null=True)
    cleared_on = models.DateField(null=True)  # after a manual close: when the condition was gone
    end = models.CharField(max_length=8, choices=End, default="", blank=True)
    severity = models.PositiveSmallIntegerField()  # 1..4, the most urgent it has been
    value = models.FloatField(null=True)  # the newest reading
    worst = models.FloatField(null=True)  # the worst reading
    reference = models.FloatField(null=True)  # what it was before, where the rule compares
    close_severity = models.PositiveSmallIntegerField(null=True)
    close_value = models.FloatField(null=True)
    enter_count = models.PositiveSmallIntegerField(default=1)  # judged days in a row beyond enter
    exit_count = models.PositiveSmallIntegerField(default=0)  # judged days in a row beyond exit
    # readings as they came, oldest first, the newest 30: [{"on", "value", "severity", ...facts}]
    evidence = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    if TYPE_CHECKING:
        rule_id: int
        customer_id: int | None
        alert_id: int | None

    class Meta:
        ordering = ["-opened_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "dedupe_key"],
                name="one_open_episode",
                condition=models.Q(closed_on__isnull=True),
            )
        ]
        indexes = [models.Index(fields=["customer", "-opened_on"], name="episode_customer")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.dedupe_key} {self.opened_on}"


class AlertDay(models.Model):
    """A day that was judged for alerts, with what came of it."""

    as_of = models.DateField(unique=True)
    judged_at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    counts = models.JSONField(default=dict)  # see alerts.actions.evaluate.Result
    notes = models.JSONField(default=list)  # [{"code", ...}]: outage, calendar beyond its years

    class Meta:
        ordering = ["-as_of"]

    def __str__(self) -> str:
        return str(self.as_of)


class Suppression(models.Model):
    """What was not opened, or not shown at once, and why."""

    class Reason(models.TextChoices):
        OUTAGE = "outage"
        SOURCE = "source"  # a data source is silent
        CALENDAR = "calendar"  # a holiday explains it
        COOL_DOWN = "cool_down"
        NOT_WORSE = "not_worse"  # closed lately and not worse than then
        SNOOZE = "snooze"
        BUDGET = "budget"  # goes to the digest

    key = models.CharField(max_length=160, unique=True)  # day, rule, customer, reason
    as_of = models.DateField()
    rule = models.ForeignKey(AlertRule, null=True, on_delete=models.CASCADE)
    customer = models.ForeignKey(  # null: many at once, see `count`
        Customer, null=True, on_delete=models.CASCADE
    )
    reason = models.CharField(max_length=10, choices=Reason)
    count = models.PositiveIntegerField(default=1)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-as_of", "-pk"]
        indexes = [
            models.Index(fields=["customer", "-as_of"], name="suppression_customer"),
            models.Index(fields=["-as_of", "reason"], name="suppression_day"),
        ]

    def __str__(self) -> str:
        return f"{self.as_of} {self.reason} {self.count}"
