"""An SOP and its versions: the form is data, see `sop.calc.form`."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.team.models import User


class Sop(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Running")
        PAUSED = "paused", _("Paused")
        STOPPED = "stopped", _("Stopped")

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    touch_model = models.CharField(max_length=4, default="", blank=True)  # tech, low, high
    state = models.CharField(max_length=7, choices=State, default=State.DRAFT)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    library_key = models.CharField(max_length=60, default="", blank=True)  # copied from
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)  # first published

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class SopVersion(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    sop = models.ForeignKey(Sop, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    form = models.JSONField(default=dict)
    note = models.CharField(max_length=200, default="", blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # the newest day whose entry was evaluated; null: none yet, who is inside already may enter
    evaluated_on = models.DateField(null=True)
    started_on = models.DateField(null=True)  # the first such day

    if TYPE_CHECKING:
        sop_id: int

    class Meta:
        ordering = ["sop", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["sop", "number"], name="sop_version_number"),
            models.UniqueConstraint(
                fields=["sop"], condition=Q(state="draft"), name="one_sop_draft"
            ),
            models.UniqueConstraint(
                fields=["sop"], condition=Q(state="published"), name="one_published_sop_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sop_id} v{self.number}"
