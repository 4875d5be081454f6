"""Journey stages per touch model, and how long each customer stayed in each."""

from django.db import models

from gengyun.customers.models.tier import TouchModel


class Stage(models.Model):
    key = models.SlugField(max_length=40)
    touch_model = models.CharField(max_length=4, choices=TouchModel)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    expectation_zh = models.TextField(default="", blank=True)  # what the customer expects here
    expectation_en = models.TextField(default="", blank=True)
    expected_days = models.PositiveSmallIntegerField(null=True, blank=True)
    longest_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["touch_model", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["touch_model", "key"], name="stage_key_per_touch")
        ]

    def __str__(self) -> str:
        return self.name_zh


class StageStay(models.Model):
    """One stay in one stage; going back is a new stay."""

    customer = models.ForeignKey("Customer", on_delete=models.CASCADE, related_name="stays")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT)
    entered_on = models.DateField()
    left_on = models.DateField(null=True)

    class Meta:
        ordering = ["-entered_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                name="one_open_stay",
                condition=models.Q(left_on__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.stage}"
