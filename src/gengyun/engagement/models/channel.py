"""A way out of the product: a group's robot, a mail server, a web address of one's own."""

from datetime import datetime, time
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Customer
from gengyun.team.models import Team


class Channel(models.Model):
    class Kind(models.TextChoices):
        FEISHU = "feishu", _("Feishu robot")
        DINGTALK = "dingtalk", _("DingTalk robot")
        WECOM_ROBOT = "wecom_robot", _("WeCom robot")
        EMAIL = "email", _("Mail")
        WEBHOOK = "webhook", _("Webhook")
        NOWHERE = "nowhere", _("Record only")

    class Serves(models.TextChoices):
        TEAM = "team", _("Us: notices of alerts")
        CUSTOMERS = "customers", _("Customers: messages to them")

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    # a channel to customers is never told of our alerts, one of ours never writes to customers
    serves = models.CharField(max_length=9, choices=Serves, default=Serves.TEAM)
    # the robot of the group that we share with this customer
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    config = models.JSONField(default=dict)  # what may be shown
    # addresses with a token in them, signing secrets, passwords: never shown, never in the audit
    secrets = models.JSONField(default=dict)
    language = models.CharField(max_length=10, default="zh-hans")
    # severities up to this number (1 urgent .. 4 when there is time) go at once; 0: none
    at_once = models.PositiveSmallIntegerField(default=2)
    # severities up to this number go with the daily digest; 0: none
    digest = models.PositiveSmallIntegerField(default=4)
    digest_at = models.TimeField(default=time(9, 0))  # company time
    # what would ring at night waits for the morning; equal times: no quiet hours
    quiet_from = models.TimeField(default=time(21, 0))
    quiet_to = models.TimeField(default=time(8, 30))
    # null: customers of everybody
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    paused_until = models.DateTimeField(null=True)  # the service asked us to wait
    created_at = models.DateTimeField()
    last_sent_at = models.DateTimeField(null=True)
    # the newest failure, until something is sent again
    failed_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=40, default="", blank=True)
    error_text = models.CharField(max_length=200, default="", blank=True)  # msgid
    error_said = models.CharField(max_length=200, default="", blank=True)

    if TYPE_CHECKING:
        team_id: int | None
        customer_id: int | None

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now
