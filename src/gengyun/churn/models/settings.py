"""What people decide about the churn probability: event, expert weights, base rates, thresholds."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.team.models import User


class EventChoice(models.TextChoices):
    AUTO = "auto", _("By what there is")  # renewals where there are contracts, else silence
    NON_RENEWAL = "non_renewal", _("Not renewed")
    SILENT = "silent", _("Falls silent")


class ChurnSettings(models.Model):
    """One row (pk 1), see `queries.settings.current`. What is not said here holds as shipped.

    Every number carries where it comes from: `source` is a reference or "assumption".
    """

    event = models.CharField(max_length=12, choices=EventChoice, default=EventChoice.AUTO)
    grace_days = models.PositiveSmallIntegerField(default=60)
    silent_days = models.PositiveSmallIntegerField(default=180)
    weights = models.JSONField(default=dict, blank=True)  # {feature: {weight, source}}
    base_rates = models.JSONField(default=dict, blank=True)  # {tier key: {rate, worth, source}}
    thresholds = models.JSONField(default=dict, blank=True)  # {key: {value, source}}
    version = models.PositiveIntegerField(default=1)  # goes up with every change
    updated_at = models.DateTimeField(null=True, blank=True)
    updated_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="churn_settings_one_row")]

    def __str__(self) -> str:
        return f"churn settings {self.version}"
