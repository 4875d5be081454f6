"""What we ask people at the customer, whom we asked, and what they said.

One answer per contact and wave. A question that was answered keeps its key and its scale; the words
of it may change.
"""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from gengyun.customers.models import Contact, Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class Survey(models.Model):
    class Kind(models.TextChoices):
        NPS = "nps", _("NPS")
        CSAT = "csat", _("CSAT")
        CES = "ces", _("CES")
        FORM = "form", _("Short form")

    key = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=4, choices=Kind)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, default="", blank=True)
    questions = models.JSONField(default=list)  # see engagement.calc.questionnaire
    # zh and en, each with intro, thanks, subject and body
    texts = models.JSONField(default=dict)
    languages = models.JSONField(default=list)  # "zh-hans", "en"; the first where nothing is known
    valid_days = models.PositiveSmallIntegerField(default=30)  # of a link
    # days after the invitation on which those are reminded who have not answered
    reminder_days = models.JSONField(default=list)
    window_days = models.PositiveSmallIntegerField(default=180)  # of the number
    channel = models.ForeignKey(
        "engagement.Channel", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )  # null: links are passed on by hand or by a SOP
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    updated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        channel_id: int | None

    class Meta:
        ordering = ["retired_at", "name_zh", "pk"]

    def __str__(self) -> str:
        return self.name_zh


class Wave(models.Model):
    """One round of a survey: who is asked in it is asked once in it."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="waves")
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=80, default="", blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        survey_id: int

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["survey", "key"], name="wave_key")]

    def __str__(self) -> str:
        return self.name or self.key


class OfCustomerQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: User | None) -> "OfCustomerQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))


class Invitation(models.Model):
    """A link of one person in one wave."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="invitations")
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invitations")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="invitations")
    nonce = models.CharField(max_length=24, unique=True)  # signed, it is the token of the link
    language = models.CharField(max_length=10)
    source = models.CharField(max_length=120, default="", blank=True)  # "sop:…", "user:3"
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)  # null: nobody has got the link yet
    sent_by_hand = models.BooleanField(default=False)  # somebody passed the link on
    unsent_reason = models.CharField(max_length=40, default="", blank=True)  # see touches
    reminded_count = models.PositiveSmallIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        survey_id: int
        wave_id: int
        customer_id: int
        contact_id: int

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["wave", "contact"], name="invitation_once"),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="invitation_customer"),
            models.Index(fields=["survey", "-created_at"], name="invitation_survey"),
            # who may still be reminded, or has stayed silent
            models.Index(
                fields=["sent_at"],
                name="invitation_silent",
                condition=models.Q(answered_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wave_id} {self.contact_id}"


class Answer(models.Model):
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="answers")
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="answers")
    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="answer")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="answers")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="answers")
    part = models.CharField(max_length=12)  # the part the person played when answering
    score = models.SmallIntegerField(null=True)  # null: a form without a score
    values = models.JSONField(default=dict)  # question key -> what was said
    comment = models.TextField(default="", blank=True)  # the answer to the first free question
    language = models.CharField(max_length=10)
    answered_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = OfCustomerQuerySet.as_manager()

    if TYPE_CHECKING:
        survey_id: int
        wave_id: int
        customer_id: int
        contact_id: int

    class Meta:
        ordering = ["-answered_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["wave", "contact"], name="answer_once")]
        indexes = [
            models.Index(fields=["customer", "-answered_at"], name="answer_customer"),
            models.Index(fields=["survey", "-answered_at"], name="answer_survey"),
            models.Index(fields=["contact", "-answered_at"], name="answer_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.wave_id} {self.contact_id} {self.score}"
