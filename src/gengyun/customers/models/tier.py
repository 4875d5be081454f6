"""Tiers and the ordered table of rules that puts a customer in one."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TouchModel(models.TextChoices):
    TECH = "tech", _("Tech-touch")
    LOW = "low", _("Low-touch")
    HIGH = "high", _("High-touch")


class Tier(models.Model):
    key = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    touch_model = models.CharField(max_length=4, choices=TouchModel)
    position = models.PositiveSmallIntegerField()  # 1 = most valuable

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_zh


class TierRule(models.Model):
    """First match wins; the rule without conditions, in the last place, is the default.

    conditions: list of {"field": "arr_minor"|"seats"|"edition"|"industry"|"region",
    "op": "gte"|"lt"|"is"|"in", "value": ...}; all must hold.
    """

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(unique=True)
    conditions = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}: {self.tier}"
