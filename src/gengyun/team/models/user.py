"""Who works here: users, their role and their team."""

from datetime import date
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMIN = "admin", _("Administrator")
    LEADER = "leader", _("Leader")
    CSM = "csm", _("CSM")
    OPERATIONS = "operations", _("Operations")
    VIEWER = "viewer", _("Viewer")


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=(username or "").strip())


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=12, choices=Role, default=Role.CSM)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="members"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # personal settings
    language = models.CharField(max_length=10, default="zh-hans")
    theme = models.CharField(max_length=5, default="light")  # light, dark
    delta_colours = models.CharField(max_length=4, default="west")  # west, cn (red = up)
    density = models.CharField(max_length=8, default="normal")  # compact, normal, relaxed
    # "change since last visit": the visit before the present one, and the present one
    last_visit_at = models.DateTimeField(null=True)
    visit_at = models.DateTimeField(null=True)
    # on leave: first and last day, both included, and who stands in
    away_from = models.DateField(null=True, blank=True)
    away_until = models.DateField(null=True, blank=True)
    deputy = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # for whom this person stands in: [[user id, first day, last day]]; follows from the leaves of
    # the others (`team.actions.leave`), kept here so that what one may see costs no question
    covers: Any = models.JSONField(default=list)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            # one person per address, however it is written
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.CheckConstraint(
                condition=models.Q(away_from__isnull=True, away_until__isnull=True)
                | models.Q(away_from__lte=models.F("away_until")),
                name="user_leave_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_away(self, day: date) -> bool:
        first, last = self.away_from, self.away_until
        return first is not None and last is not None and first <= day <= last

    def covered_ids(self, day: date) -> list[int]:
        """The colleagues for whom this person stands in on the day."""
        iso = day.isoformat()
        return sorted(int(pk) for pk, first, last in self.covers if first <= iso <= last)

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN
