"""Metrics as data: what to count, over which window, compared with what."""

from django.db import models


class Measure(models.Model):
    """What is rolled up per customer and day, shared by all metrics over the same events.

    definition: {"kind": "daily"|"users"|"features", "events": ["name", ...] or null for all,
    "property": whose numbers are summed, "feature": whose distinct values are features}.
    `key` is derived from the definition (usage.calc.plan.MeasureNeed).
    """

    key = models.CharField(max_length=64, unique=True)
    definition = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Metric(models.Model):
    """A named definition; see `usage.calc.definition` for the language."""

    key = models.SlugField(max_length=60, unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    description_zh = models.CharField(max_length=300, default="", blank=True)
    description_en = models.CharField(max_length=300, default="", blank=True)
    unit = models.CharField(max_length=12, default="count")  # count, users, days, ratio, amount
    direction = models.CharField(max_length=4, default="up")  # which way is good: up, down
    definition = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name_zh
