"""An import of a file: what was uploaded, how columns map, what came of each row."""

from django.db import models

from gengyun.team.models import User


class ImportRun(models.Model):
    class Kind(models.TextChoices):
        CUSTOMERS = "customers"
        CONTACTS = "contacts"
        ACTIVITIES = "activities"
        PERIODS = "periods"
        CONTRACTS = "contracts"
        INVOICES = "invoices"
        PAYMENTS = "payments"
        SPEND = "spend"
        BUDGETS = "budgets"
        RATES = "rates"
        OPPORTUNITIES = "opportunities"

    class State(models.TextChoices):
        UPLOADED = "uploaded"  # waiting for the mapping to be confirmed
        CHECKED = "checked"  # dry run done
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    file_name = models.CharField(max_length=200)
    stored_path = models.CharField(max_length=400)  # below the data folder
    encoding = models.CharField(max_length=20, default="", blank=True)
    # what the file holds: [{"header", "samples": [..], "suggested": field or null}], in order
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)  # column header -> field, or null to skip
    options = models.JSONField(default=dict)  # see `actions.importing.Options`
    # the dry run: {"created", "changed", "same", "error", "rows": [first rows and what comes of
    # them], "errors": [{"row", "column", "value", "code", "params"}], "reasons": [[code, rows]]}
    # and where rows carry money "totals": [{"measure", "currency", "file", "created", ..}]
    outcome = models.JSONField(default=dict)
    # counts of the run itself; `done_count` is also where a killed run goes on
    row_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    same_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    error_path = models.CharField(max_length=400, default="", blank=True)
    rows_path = models.CharField(max_length=400, default="", blank=True)  # all rows, with outcome
    error = models.TextField(default="", blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"
