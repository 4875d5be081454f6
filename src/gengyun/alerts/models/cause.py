"""The tree of risk causes: families at the top, graded causes below; retired, never deleted."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RiskCause(models.Model):
    class Grade(models.TextChoices):
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", pgettext_lazy("grade", "Light")

    key = models.SlugField(max_length=40, unique=True)
    parent = models.ForeignKey(  # null: a family
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    grade = models.CharField(max_length=6, choices=Grade, default=Grade.MEDIUM)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        parent_id: int | None

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_zh
