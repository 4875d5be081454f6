"""The judgement of one day: which steps are done, how far the running one is."""

from django.db import models


class DayRun(models.Model):
    """One row per judged day; running it again repeats the steps and changes nothing."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    as_of = models.DateField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    steps = models.JSONField(default=dict)  # step name -> {"done": n, "total": n, "state": ...}
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    data_until = models.DateTimeField(null=True)  # newest event known when the run began
    error = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["-as_of"]

    def __str__(self) -> str:
        return f"{self.as_of} {self.state}"
