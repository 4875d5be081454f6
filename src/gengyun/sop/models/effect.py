"""What became of each run that chance placed, and what that says of the SOP as of a day."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.sop.models.run import Run
from gengyun.sop.models.sop import SopVersion


class RunOutcome(models.Model):
    """One per run of a version that declared an outcome. All but the last three columns are frozen
    when the run enters: nothing that the SOP does can change them."""

    class Reason(models.TextChoices):
        NONE = "", _("Counts")
        AGAIN = "again", _("Entered before in this version")
        NOT_RANDOM = "not_random", _("Not placed by chance")
        NO_RENEWAL = "no_renewal", _("Nothing came due")
        UNKNOWN = "unknown", _("Nothing was known on its day")

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, primary_key=True, related_name="outcome"
    )
    version = models.ForeignKey(
        SopVersion, on_delete=models.CASCADE, related_name="outcomes", db_index=False
    )
    is_treated = models.BooleanField()
    entered_on = models.DateField()
    mature_on = models.DateField()  # the outcome of both arms is read on this day, never before
    churn = models.FloatField(null=True)  # probability when it entered
    before = models.FloatField(null=True)  # the outcome's own value when it entered
    renewal_id = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField(null=True)  # what came due
    currency = models.CharField(max_length=3, default="", blank=True)
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.NONE, blank=True)
    value = models.FloatField(null=True)  # null: not known
    read_on = models.DateField(null=True)  # the judged day that read it; null: not yet

    if TYPE_CHECKING:
        run_id: int
        version_id: int

    class Meta:
        ordering = ["run"]
        indexes = [
            models.Index(
                fields=["version", "mature_on"],
                name="outcome_to_read",
                condition=Q(read_on__isnull=True),
            ),
            models.Index(fields=["version", "entered_on"], name="outcome_entered"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.mature_on} {self.value}"


class Effect(models.Model):
    """What was said as of a day: of this version with those before it that declared the same."""

    version = models.ForeignKey(
        SopVersion, on_delete=models.CASCADE, related_name="effects", db_index=False
    )
    as_of = models.DateField()
    first_number = models.PositiveIntegerField()  # versions from this to its own count together
    verdict = models.CharField(max_length=14)  # calc.measured.Verdict
    told = models.JSONField(default=dict)  # calc.measured.Told
    beside = models.JSONField(default=dict)  # who is not counted and why; overlaps
    observed = models.JSONField(default=dict)  # without a hold-out: calc.observational
    computed_at = models.DateTimeField()

    if TYPE_CHECKING:
        version_id: int

    class Meta:
        ordering = ["version", "-as_of"]
        constraints = [
            models.UniqueConstraint(fields=["version", "as_of"], name="one_effect_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.as_of} {self.verdict}"
