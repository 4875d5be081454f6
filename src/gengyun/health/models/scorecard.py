"""Scorecards: an ordered list, first match wins, the last is the default; versions keep history.

What judges a day hangs on two dated things: the versions of a scorecard, and the order (which card
stands where, and whom it is for). Both only ever grow, so a past day is judged again as it was.
"""

from django.db import models

from gengyun.team.models import User


class Scorecard(models.Model):
    """`tier_ids` and `stage_keys` say whom it is for now; an empty list means any."""

    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    tier_ids = models.JSONField(default=list, blank=True)  # [Tier.pk, ...]
    stage_keys = models.JSONField(default=list, blank=True)  # [Stage.key, ...]
    position = models.PositiveSmallIntegerField(unique=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name_zh

    @property
    def is_for_all(self) -> bool:
        return not self.tier_ids and not self.stage_keys


class ScorecardOrder(models.Model):
    """The order of the scorecards and whom each is for, from a day on. Append-only.

    entries: [{"card": Scorecard.pk, "tiers": [Tier.pk], "stages": [Stage.key]}], first match wins.
    """

    effective_from = models.DateField(null=True)  # null: from the beginning
    entries = models.JSONField(default=list)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"order {self.pk} from {self.effective_from}"


class ScorecardVersion(models.Model):
    """One published configuration; see `health.calc.config` for the shape of `config`."""

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    config = models.JSONField()
    effective_from = models.DateField(null=True)  # null: from the beginning
    note = models.CharField(max_length=200, default="", blank=True)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT)

    class Meta:
        ordering = ["scorecard", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "number"], name="version_number")
        ]

    def __str__(self) -> str:
        return f"{self.scorecard} v{self.number}"


class ScorecardDraft(models.Model):
    """What somebody is working on: it judges nothing until it is published."""

    scorecard = models.OneToOneField(Scorecard, on_delete=models.CASCADE, related_name="draft")
    config = models.JSONField()
    base_number = models.PositiveIntegerField(default=0)  # the version it began from; 0: none
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"draft of {self.scorecard}"


class HistoryTest(models.Model):
    """A configuration tried on past days; `result` is that of `health.calc.history`."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="tests")
    config = models.JSONField()
    weeks = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=300, default="", blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"test {self.pk} of {self.scorecard}"
