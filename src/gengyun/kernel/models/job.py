"""Durable jobs: rows claimed by lease, so that a killed worker's job is run again by the next."""

from django.db import models


class Job(models.Model):
    class State(models.TextChoices):
        READY = "ready"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True)
    task = models.CharField(max_length=200)  # dotted path of the django-tasks function
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    queue = models.CharField(max_length=40, default="default")
    priority = models.SmallIntegerField(default=0)
    unique_key = models.CharField(max_length=200, null=True)
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    run_after = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, default="", blank=True)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    progress_note = models.CharField(max_length=200, default="", blank=True)
    result = models.JSONField(null=True)
    error = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-priority", "run_after", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                name="job_unique_open_key",
                condition=models.Q(state__in=["ready", "running"]),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-priority", "run_after"], name="job_claim"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.state}"


class Schedule(models.Model):
    """When a repeated task ran last; the table of what repeats is code (`kernel.jobs.schedule`)."""

    name = models.CharField(max_length=80, primary_key=True)
    last_run_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
