"""Journey stages per touch model, and how long each customer stayed in each."""

from django.db import models

from gengyun.customers.models.tier import TouchModel
from gengyun.team.models import User


class Stage(models.Model):
    key = models.SlugField(max_length=40)
    touch_model = models.CharField(max_length=4, choices=TouchModel)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    expectation_zh = models.TextField(default="", blank=True)  # what the customer expects here
    expectation_en = models.TextField(default="", blank=True)
    work_zh = models.TextField(default="", blank=True)  # what we do here
    work_en = models.TextField(default="", blank=True)
    # goals and criteria in the language of calc.journeys; all of a list must hold
    process_kpi = models.JSONField(default=list, blank=True)
    outcome_kpi = models.JSONField(default=list, blank=True)
    entry = models.JSONField(default=list, blank=True)
    is_entered_by_rule = models.BooleanField(default=False)  # else entry is a hint for people
    exit = models.JSONField(default=list, blank=True)
    is_left_by_rule = models.BooleanField(default=False)
    exit_to = models.SlugField(max_length=40, default="", blank=True)  # "": the next in order
    is_tuned = models.BooleanField(default=False)  # somebody edited it: defaults keep away
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

    class How(models.TextChoices):
        """How the customer came into the stage."""

        HAND = "hand"
        RULE = "rule"
        START = "start"  # with the customer itself: created or imported in this stage

    customer = models.ForeignKey("Customer", on_delete=models.CASCADE, related_name="stays")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT)
    entered_on = models.DateField()
    left_on = models.DateField(null=True)
    how = models.CharField(max_length=5, choices=How, default=How.HAND)
    moved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, default="", blank=True)
    # by rule: what held then, [{"fact", "op", "value", "found"}]
    evidence = models.JSONField(default=list, blank=True)
    # criteria ticked by people: key -> {"by": name, "on": ISO day}
    checked = models.JSONField(default=dict, blank=True)

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


class StageProgress(models.Model):
    """What the newest judged day says of a customer's present stage. Derived, rebuilt daily."""

    customer = models.OneToOneField(
        "Customer", primary_key=True, on_delete=models.CASCADE, related_name="progress"
    )
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="+")
    as_of = models.DateField()
    facts = models.JSONField(default=dict)  # fact -> value; absent: unknown
    is_ready = models.BooleanField(default=False)  # every exit criterion holds
    # a stage whose entry holds while people decide: its key, "" for none
    suggested = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.stage_id} {self.as_of}"
