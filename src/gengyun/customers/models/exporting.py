"""An export of a list: what was asked for, how far it is, where the file lies."""

from django.db import models

from gengyun.team.models import User


class ExportRun(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Form(models.TextChoices):
        CSV = "csv"
        XLSX = "xlsx"

    listing = models.CharField(max_length=40)  # key of a registered list
    form = models.CharField(max_length=4, choices=Form)
    query = models.JSONField(default=dict)  # what the list was asked, as the list checks it
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    file_name = models.CharField(max_length=120)
    stored_path = models.CharField(max_length=400, default="", blank=True)  # below the data folder
    row_count = models.PositiveIntegerField(null=True)  # None: not known yet
    done_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    error = models.TextField(default="", blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name
