"""The timeline: what people did with a customer, and notes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Contact, Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, actor: User | None) -> "ActivityQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))

    def present(self) -> "ActivityQuerySet":
        return self.filter(deleted_at__isnull=True)


class Activity(models.Model):
    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        MEETING = "meeting", _("Meeting")
        WECOM = "wecom", _("WeCom")
        EMAIL = "email", _("Email")
        VISIT = "visit", _("Visit")
        NOTE = "note", _("Note")
        SYSTEM = "system", _("System")

    class Outcome(models.TextChoices):
        """Did it solve the customer's problem?"""

        SOLVED = "solved", _("Solved")
        PARTLY = "partly", _("Partly solved")
        NOT = "not", _("Not solved")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="activities", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    body = models.TextField()
    happened_at = models.DateTimeField()
    outcome = models.CharField(max_length=6, choices=Outcome, default="", blank=True)
    contacts = models.ManyToManyField(Contact, blank=True)
    author = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, db_index=False
    )  # null: the system
    recorded_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    import_key = models.CharField(max_length=64, null=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-pk"]
        constraints = [
            # no `unique=True`: on PostgreSQL that is two indexes
            models.UniqueConstraint(fields=["import_key"], name="activity_import_key")
        ]
        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="activity_timeline"),
            models.Index(
                fields=["author"], name="activity_author", condition=Q(author__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at:%Y-%m-%d}"

    @property
    def is_meaningful(self) -> bool:
        """A touch with the customer, as opposed to a note to ourselves."""
        return self.kind not in {self.Kind.NOTE, self.Kind.SYSTEM}
