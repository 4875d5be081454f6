"""What people say about a customer's health: sentiment and overrides. Dated facts, never edited.

Taking one back sets `ended_at`; a judgement of a past day sees what was known before that day.
"""

from django.db import models

from gengyun.customers.models import Customer
from gengyun.team.models import User


class Sentiment(models.Model):
    """How the CSM sees the customer, through `valid_until`; after that day it is missing."""

    class Level(models.IntegerChoices):
        ALARMED = 1
        WORRIED = 2
        STEADY = 3
        CONFIDENT = 4

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="sentiments")
    level = models.PositiveSmallIntegerField(choices=Level)
    reason = models.CharField(max_length=300)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    valid_until = models.DateField()
    ended_at = models.DateTimeField(null=True)  # taken back, or followed by a newer one

    class Meta:
        ordering = ["-known_at", "-pk"]
        indexes = [models.Index(fields=["customer", "-known_at"], name="sentiment_newest")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.level}"


class HealthOverride(models.Model):
    """A person's correction of the score with reason and expiry; the computed score is kept."""

    class Mode(models.TextChoices):
        SET = "set"  # the score is `points`
        ADD = "add"  # `points` are added

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="overrides")
    mode = models.CharField(max_length=3, choices=Mode)
    points = models.FloatField()
    reason = models.CharField(max_length=300)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    valid_until = models.DateField()  # the last day it counts
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-known_at", "-pk"]
        indexes = [models.Index(fields=["customer", "-known_at"], name="override_newest")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.mode} {self.points:g}"
