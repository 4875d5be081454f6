"""Rules: when an episode opens and closes, how urgent it is, and what is suspected behind it."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from gengyun.alerts.models.cause import RiskCause


class AlertRule(models.Model):
    LAST_SEVERITY = 4

    class Kind(models.TextChoices):
        USAGE_DROP = "usage_drop", _("Usage drop")
        DORMANT = "dormant", _("Dormant")
        SLOW_SLIDE = "slow_slide", _("Slow slide")
        ACTIVATION_LOW = "activation_low", _("Activation low")
        STAGE_LATE = "stage_late", _("Stage late")
        SOURCE_SILENT = "source_silent", _("Data source silent")
        OUTAGE = "outage", _("Product-wide outage")
        BAND_CHANGE = "band_change", _("Health band fell")
        SCORE_DROP = "score_drop", _("Health score fell")
        CONTACT_LEFT = "contact_left", _("Contact left")
        RENEWAL_WINDOW = "renewal_window", _("Renewal window")
        PAYMENT_OVERDUE = "payment_overdue", _("Payment overdue")
        SEATS_REDUCED = "seats_reduced", _("Seats reduced")
        CHURN_JUMP = "churn_jump", _("Churn probability rose")
        RISK_NOTED = "risk_noted", _("Risk noted")
        SENTIMENT_DROP = "sentiment_drop", _("Sentiment fell")
        SEATS_FULL = "seats_full", _("Seats full")
        SURVEY_LOW = "survey_low", _("Low survey answer")
        ASKED_FOR = "asked_for", _("Asked for by an SOP")
        METRIC = "metric", _("Metric")

    key = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    description_zh = models.CharField(max_length=300, default="", blank=True)
    description_en = models.CharField(max_length=300, default="", blank=True)
    severity = models.PositiveSmallIntegerField(default=2)  # 1 urgent .. 4 when there is time
    cause = models.ForeignKey(RiskCause, on_delete=models.PROTECT, related_name="rules")
    params = models.JSONField(default=dict, blank=True)  # see alerts.calc.params
    # {"tiers": [id], "touch_models": [key], "stages": [id]}; an absent or empty list: all
    scope = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    cool_down_days = models.PositiveSmallIntegerField(default=14)
    # working hours and working days of the Chinese calendar; null: no time limit
    first_response_hours = models.PositiveSmallIntegerField(null=True, blank=True, default=9)
    resolve_days = models.PositiveSmallIntegerField(null=True, blank=True, default=10)
    routes = models.JSONField(default=list, blank=True)  # see alerts.actions.routing
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        cause_id: int

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_zh

    @property
    def is_watch_list(self) -> bool:
        """It only lists: what it finds opens no work item. The slide, until somebody makes it more
        urgent than the last level (science.md 5.2: z for tickets, CUSUM for a silent list)."""
        return self.kind == self.Kind.SLOW_SLIDE and self.severity >= self.LAST_SEVERITY

    @property
    def is_company_wide(self) -> bool:
        """About the company's own data or product, not about one customer."""
        return self.kind in {self.Kind.SOURCE_SILENT, self.Kind.OUTAGE}
