"""A to-do of a person or a role, mostly about a customer."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gengyun.customers.models import Contact, Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, actor: User | None) -> "TaskQuerySet":
        """Tasks about customers the actor may see, of people they may look after, what they made
        themselves, and what waits for anybody of their role."""
        if actor is None:
            return self
        about = customer_scope(actor, owner="customer__owner")
        if not about:
            return self
        theirs = customer_scope(actor, owner="owner")
        pool = Q(owner__isnull=True, customer__isnull=True, role=actor.role)
        return self.filter(about | theirs | Q(created_by=actor) | pool)

    def open(self) -> "TaskQuerySet":
        return self.filter(state=Task.State.OPEN)


class Task(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", pgettext_lazy("task", "Done")
        DROPPED = "dropped", _("Dropped")

    class Priority(models.IntegerChoices):
        HIGH = 1, _("High")
        NORMAL = 2, _("Normal")
        LOW = 3, _("Low")

    title = models.CharField(max_length=200)
    body = models.TextField(default="", blank=True)
    # without indexes of their own: those below begin with them, or hold the few that are not null
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks",
        db_index=False,
    )  # fmt: skip
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks",
        db_index=False,
    )  # fmt: skip
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks", db_index=False
    )
    # whose work it is by its nature; while nobody gave it to somebody by hand, the owner follows
    role = models.CharField(max_length=12, default="", blank=True)
    is_assigned = models.BooleanField(default=False)  # by hand: it stays when the customer moves
    # given by somebody else, and its owner has not looked at it yet
    is_new = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    due_on = models.DateField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)  # somebody is at it
    snoozed_until = models.DateField(null=True, blank=True)  # not shown before this day
    done_at = models.DateTimeField(null=True, blank=True)  # done or dropped
    done_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    result = models.TextField(default="", blank=True)  # what came of it, or why it was dropped
    # what made it, e.g. "sop:run:12:step:call": never made twice
    source = models.CharField(max_length=160, default="", blank=True)
    # what it is about in money, in the customer's currency: as its maker says; None: not said
    worth_minor = models.BigIntegerField(null=True, blank=True)
    # the amount at stake at the customer (see `queries.stakes`); derived; None: unknown
    stake_minor = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    updated_at = models.DateTimeField()

    objects = TaskQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int | None
        contact_id: int | None
        owner_id: int | None
        created_by_id: int | None

    class Meta:
        ordering = ["due_on", "priority", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], name="one_task_per_source", condition=~Q(source="")
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "state", "due_on"], name="task_of_owner"),
            models.Index(fields=["customer", "state", "due_on"], name="task_of_customer"),
            models.Index(fields=["state", "due_on"], name="task_due"),
            models.Index(fields=["state", "-done_at"], name="task_done"),
            models.Index(fields=["created_by", "state"], name="task_of_maker"),
            models.Index(
                fields=["contact"], name="task_of_contact", condition=Q(contact__isnull=False)
            ),
            models.Index(
                fields=["done_by"], name="task_done_by", condition=Q(done_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def amount_minor(self) -> int | None:
        """What it is ordered by: what its maker said, else what is at stake at the customer."""
        return self.stake_minor if self.worth_minor is None else self.worth_minor
