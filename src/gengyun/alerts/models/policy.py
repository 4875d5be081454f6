"""What holds for every rule: budget, gaps, working hours. One row."""

from django.db import models


class AlertPolicy(models.Model):
    # new work items per CSM and day; what goes beyond waits in the digest. Severity 1 always passes
    daily_budget = models.PositiveSmallIntegerField(default=3)
    parent_days = models.PositiveSmallIntegerField(default=3)  # families within: one parent
    raise_gap_days = models.PositiveSmallIntegerField(default=7)  # between two rises of severity
    reopen_days = models.PositiveSmallIntegerField(default=30)  # after a close: only if worse
    snooze_days = models.PositiveSmallIntegerField(default=30)  # the longest snooze
    # the hours of a working day that a response time counts
    day_starts_hour = models.PositiveSmallIntegerField(default=9)
    day_ends_hour = models.PositiveSmallIntegerField(default=18)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"budget {self.daily_budget}"
