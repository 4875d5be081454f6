"""A participant's way through an SOP, and what every step of it did."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Contact, Customer
from gengyun.sop.models.sop import Sop, SopVersion
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope

ACTIVE = ("running", "waiting")


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, actor: User | None) -> "RunQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))

    def active(self) -> "RunQuerySet":
        return self.filter(state__in=ACTIVE)

    def treated(self) -> "RunQuerySet":
        return self.filter(arm=Run.Arm.TREAT)


class Run(models.Model):
    class Arm(models.TextChoices):
        TREAT = "treat", _("Carried out")
        HOLDOUT = "holdout", _("Hold-out")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        EXITED = "exited", _("Left early")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    sop = models.ForeignKey(Sop, on_delete=models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(SopVersion, on_delete=models.PROTECT, related_name="runs")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="sop_runs")
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    product_key = models.CharField(max_length=60, default="", blank=True)
    identity_key = models.CharField(max_length=90)  # "c:12", "k:7", "p:12:suite"
    # what let it in, once: "c:3:c:12:2026-11-22", "e:3:c:12:<event id>"
    entry_key = models.CharField(max_length=200)
    arm = models.CharField(max_length=7, choices=Arm, default=Arm.TREAT)
    state = models.CharField(max_length=7, choices=State, default=State.RUNNING)
    entered_at = models.DateTimeField()
    entered_on = models.DateField()
    entered_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    entry_facts = models.JSONField(default=dict)  # frozen at entry; the effect reads them
    stratum = models.CharField(max_length=60, default="", blank=True)
    step_key = models.CharField(max_length=40, default="", blank=True)  # where it stands
    step_count = models.PositiveIntegerField(default=0)  # steps behind it
    step_since = models.DateTimeField(null=True)  # when it came to where it stands
    wait_until = models.DateTimeField(null=True)  # the end of a wait, or its time-out
    due_at = models.DateTimeField(null=True)  # when it is looked at next; null: ended
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, default="", blank=True)
    # first day the goal held, in both arms and also after the end, within the outcome's window
    goal_on = models.DateField(null=True)

    objects = RunQuerySet.as_manager()

    if TYPE_CHECKING:
        sop_id: int
        version_id: int
        customer_id: int
        contact_id: int | None
        entered_by_id: int | None

    class Meta:
        ordering = ["-entered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["sop", "identity_key"],
                condition=Q(state__in=["running", "waiting"]),
                name="one_active_run",
            ),
            # no `unique=True`: on PostgreSQL that is two indexes, and every step writes to each
            models.UniqueConstraint(fields=["entry_key"], name="run_entry_key"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="run_due",
                condition=Q(state__in=["running", "waiting"]),
            ),
            models.Index(fields=["sop", "identity_key", "-ended_at"], name="run_identity"),
            models.Index(fields=["sop", "state", "-entered_at"], name="run_state"),
            models.Index(fields=["sop", "-entered_at"], name="run_entered"),
            # few runs are a contact's, or were begun by a person
            models.Index(
                fields=["contact"], name="run_contact", condition=Q(contact__isnull=False)
            ),
            models.Index(
                fields=["entered_by"], name="run_entered_by", condition=Q(entered_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sop_id} {self.identity_key} {self.state}"


class RunLease(models.Model):
    """Who carries a run on at the moment. A table of its own: taking thousands of runs writes a few
    bytes each, and not their rows with all their indexes."""

    run_id = models.BigIntegerField(primary_key=True)  # no foreign key: it may be gone
    until = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ["run_id"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.by}"


def step_key_of(run_id: int, step_key: str, ordinal: int) -> str:
    """What a step's effects are known by: the same however often it is tried."""
    return f"sop:{run_id}:{step_key}:{ordinal}"


def run_of_key(key: str) -> int | None:
    """The run that such a key speaks of; None: it is the key of something else."""
    kind, _, rest = key.partition(":")
    run = rest.partition(":")[0]
    return int(run) if kind == "sop" and run.isdecimal() else None


class StepRun(models.Model):
    """One decision about one step: done, skipped, suppressed with the reason, failed."""

    class State(models.TextChoices):
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Skipped")
        SUPPRESSED = "suppressed", _("Not sent")
        FAILED = "failed", _("Failed")

    # no constraint: a line is only written under the lock of its run's row, and runs stay
    # (docs/adr/0008-lines-of-steps.md)
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="steps", db_index=False, db_constraint=False
    )
    step_key = models.CharField(max_length=40)
    ordinal = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State)
    at = models.DateTimeField()
    reason = models.CharField(max_length=40, default="", blank=True)  # msgid key, see calc.told
    told = models.JSONField(default=dict)  # the facts behind the reason
    ref = models.CharField(max_length=40, default="", blank=True)  # "task:7", "touch:9"

    class Meta:
        ordering = ["run", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["run", "ordinal"], name="one_line_of_a_step")
        ]
        indexes = [
            models.Index(
                fields=["ref"], name="step_ref", condition=~Q(ref="")
            ),  # what a task or touch belongs to
        ]

    if TYPE_CHECKING:
        run_id: int

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return step_key_of(self.run_id, self.step_key, self.ordinal)


class Decision(models.Model):
    """Why somebody whose turn it was did not enter. Who never came near an entry has no row:
    that is worked out when somebody asks."""

    version = models.ForeignKey(
        SopVersion, on_delete=models.CASCADE, related_name="decisions", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    identity_key = models.CharField(max_length=90)
    on = models.DateField()
    outcome = models.CharField(max_length=12)  # not_entered
    reason = models.CharField(max_length=40)
    told = models.JSONField(default=dict)
    # looked at again on this day: who still fulfils the entry then may enter
    retry_on = models.DateField(null=True)

    class Meta:
        ordering = ["-on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "identity_key", "on"], name="one_decision_a_day"
            )
        ]
        indexes = [
            models.Index(
                fields=["version", "retry_on"],
                name="decision_retry",
                condition=Q(retry_on__isnull=False),
            ),
            models.Index(fields=["customer", "-on"], name="decision_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.identity_key} {self.on} {self.outcome}"


class EventHit(models.Model):
    """A usage event that some SOP starts on, kept until it was looked at. Written in the same
    transaction in which the drain notes its batch: no kill loses it, no repeat doubles it."""

    key = models.CharField(max_length=80, unique=True)  # the event's own, as the lake knows it
    name = models.CharField(max_length=200)
    customer_id = models.BigIntegerField()  # no foreign key: it may be gone when its turn comes
    # whom it is of, as far as it says: the product's id of the user, or a contact of ours
    user_id = models.CharField(max_length=200, default="", blank=True)
    contact_id = models.BigIntegerField(null=True)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.customer_id}"
