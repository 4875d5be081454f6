"""One notice to one receiver: waiting, on its way, sent; written once whatever happens."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from gengyun.engagement.models.channel import Channel


class Delivery(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        TAKEN = "taken", _("Waiting")  # a worker has it, nothing has left yet
        POSTING = "posting", _("On its way")  # it may have left
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        # killed while it was on its way, to a service that cannot drop a repeat
        UNSURE = "unsure", _("Perhaps sent")
        DROPPED = "dropped", _("Not sent")  # its alert was closed before it left

    key = models.CharField(max_length=160)  # what is told, to whom, by what
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    recipient = models.CharField(max_length=254, default="", blank=True)  # "": the channel's group
    about = models.CharField(max_length=40, default="", blank=True)  # "alert:12", "test"
    severity = models.PositiveSmallIntegerField(default=4)
    item = models.JSONField(default=dict)  # engagement.calc.messages.Item
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    # several that are due for the same receiver go as one message; kept over attempts
    batch = models.CharField(max_length=32, default="", blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, default="", blank=True)
    error_code = models.CharField(max_length=40, default="", blank=True)
    error_text = models.CharField(max_length=200, default="", blank=True)
    error_said = models.CharField(max_length=200, default="", blank=True)

    if TYPE_CHECKING:
        channel_id: int

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["channel", "-created_at"], name="delivery_channel"),
            models.Index(fields=["about"], name="delivery_about"),
        ]
        constraints = [
            # no `unique=True`: on PostgreSQL that is two indexes
            models.UniqueConstraint(fields=["key"], name="delivery_key")
        ]

    def __str__(self) -> str:
        return self.key
