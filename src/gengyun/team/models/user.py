"""Who works here: users, their role and their team."""

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

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            # one person per address, however it is written
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN
