"""The touch ledger: one row per message that was to reach a customer, sent or not, and why not."""

from datetime import time
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc.budget import DEFAULT_CAPS
from gengyun.engagement.models.channel import Channel
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class Category(models.TextChoices):
    """What a message is for, as its reader sees it: they may opt out of each."""

    SERVICE = "service", _("Service")
    EDUCATION = "education", _("Training and tips")
    MARKETING = "marketing", _("Offers and news")
    SURVEY = "survey", _("Surveys")
    RELATION = "relation", _("Personal contact")


class TouchQuerySet(models.QuerySet["Touch"]):
    def visible_to(self, actor: User | None) -> "TouchQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))


class Touch(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")  # a colleague edits it and sends it, or does not
        APPROVAL = "approval", _("Awaiting approval")  # complete; goes out by itself after a yes
        QUEUED = "queued", _("Planned")
        SENT = "sent", _("Sent")
        SUPPRESSED = "suppressed", _("Not sent")  # `reason` says why
        FAILED = "failed", _("Failed")
        BOUNCED = "bounced", _("Bounced")  # sent, and came back
        UNSURE = "unsure", _("Perhaps sent")  # nobody knows; never sent again by itself

    # indexes are below, each once: every message writes to all of them
    key = models.CharField(max_length=200)  # asked twice, written once
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="touches", db_index=False
    )
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="touches",
        db_index=False,
    )  # fmt: skip
    # whose budget it counts in: the address, so that two rows of one person share it
    person = models.CharField(max_length=260)
    recipient = models.CharField(max_length=254, default="", blank=True)  # "": a group
    channel_kind = models.CharField(max_length=12, choices=Channel.Kind)
    channel = models.ForeignKey(
        Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="touches"
    )
    category = models.CharField(max_length=12, choices=Category)
    budget_class = models.CharField(max_length=12)  # engagement.calc.budget.CLASSES
    language = models.CharField(max_length=10, default="zh-hans")
    subject = models.CharField(max_length=300, default="", blank=True)
    body = models.TextField(default="", blank=True)
    template = models.CharField(max_length=80, default="", blank=True)
    source = models.CharField(max_length=120, default="", blank=True)  # "sop:run:12:step:mail"
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=24, default="", blank=True)  # why it was not sent
    told = models.JSONField(default=dict)  # facts of the reason: cap, days, counted, free_at …
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # whose yes it waits for (calc.approving), and until when
    approver = models.CharField(max_length=8, default="", blank=True)
    answer_by = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)  # sent by hand, approved or refused
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    due_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    # unguessable: names the message in the unsubscribe link, the bounce address and Message-ID
    token = models.CharField(max_length=32)

    objects = TouchQuerySet.as_manager()

    if TYPE_CHECKING:
        customer_id: int
        contact_id: int | None
        channel_id: int | None

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [
            models.Index(fields=["customer", "-asked_at"], name="touch_customer"),
            models.Index(fields=["contact", "due_at"], name="touch_contact"),
            models.Index(fields=["person", "due_at"], name="touch_person"),
            models.Index(fields=["state", "due_at"], name="touch_state"),
            models.Index(fields=["source"], name="touch_source", condition=~Q(source="")),
            models.Index(
                fields=["answer_by"], name="touch_answer_by", condition=Q(state="approval")
            ),
            models.Index(
                fields=["asked_by"], name="touch_asked_by", condition=Q(asked_by__isnull=False)
            ),
            models.Index(
                fields=["decided_by"],
                name="touch_decided_by",
                condition=Q(decided_by__isnull=False),
            ),
        ]
        constraints = [
            # no `unique=True`: on PostgreSQL that is two indexes each
            models.UniqueConstraint(fields=["key"], name="touch_key"),
            models.UniqueConstraint(fields=["token"], name="touch_token"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_kind} {self.subject}"[:200]


class OptOut(models.Model):
    """No more messages of a category for this person; the newest word of the reader wins."""

    class Source(models.TextChoices):
        LINK = "link", _("By the link in a message")
        ONE_CLICK = "one_click", _("By their mail program")
        PERSON = "person", _("Noted by a colleague")
        COMPLAINT = "complaint", _("Reported as unwanted")

    ALL = "all"

    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="opt_outs"
    )
    # the same person may stand in the book twice: the address is what counts
    address = models.CharField(max_length=254, default="", blank=True, db_index=True)
    category = models.CharField(max_length=12)  # a Category, or "all"
    source = models.CharField(max_length=10, choices=Source)
    touch = models.ForeignKey(
        Touch, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    if TYPE_CHECKING:
        contact_id: int | None

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "address", "category"],
                condition=Q(ended_at__isnull=True),
                name="opt_out_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.category}"


class MailAddress(models.Model):
    """What is known of an address; its row is also the lock under which its caps are counted."""

    address = models.CharField(max_length=254, unique=True)  # lower case
    hard_bounced_at = models.DateTimeField(null=True, blank=True)
    soft_bounces = models.JSONField(default=list)  # ISO instants of the last fortnight
    said = models.CharField(max_length=200, default="", blank=True)  # the mail server's words
    cleared_at = models.DateTimeField(null=True, blank=True)  # a person says it works again

    class Meta:
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address


class TouchPreference(models.Model):
    """How a customer, or one contact, is to be written to; the contact's own word goes first."""

    customer = models.OneToOneField(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="touch_preference"
    )
    contact = models.OneToOneField(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="touch_preference"
    )
    time_zone = models.CharField(max_length=40, default="", blank=True)  # "": the company's
    language = models.CharField(max_length=10, default="", blank=True)  # "": the channel's
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=True) ^ Q(contact__isnull=True),
                name="touch_preference_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.time_zone} {self.language}"


def default_caps() -> dict[str, Any]:
    return {name: dict(caps) for name, caps in DEFAULT_CAPS.items()}


class TouchPolicy(models.Model):
    """Caps and quiet hours of everything that goes to customers. One row."""

    caps = models.JSONField(default=default_caps)  # {class or "all": {"1" | "7" | "30": most}}
    quiet_from = models.TimeField(default=time(20, 0))  # the recipient's time
    quiet_to = models.TimeField(default=time(9, 0))  # equal times: no quiet hours
    working_days_only = models.BooleanField(default=True)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quiet_from:%H:%M}-{self.quiet_to:%H:%M}"


class TouchTemplate(models.Model):
    """A text to start from, in both languages, with variables (calc.templates)."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    category = models.CharField(max_length=12, choices=Category)
    texts = models.JSONField(default=dict)  # {"zh": {"subject", "body"}, "en": {…}}
    updated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
