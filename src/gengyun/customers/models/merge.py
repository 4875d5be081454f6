"""Two rows that are one company: which of them stays, and which pairs are not the same."""

from django.db import models
from django.db.models import Q

from gengyun.customers.models.customer import Customer
from gengyun.team.models import User


class CustomerMerge(models.Model):
    """`gone` is part of `kept` in [merged_at, undone_at).

    Events stay where they were written: a metric as of a day counts those of `gone` for `kept` if
    the merge was known before that day (`queries.merges`). Nothing of the past is rewritten.
    """

    gone = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merges_away")
    kept = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merges_in")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # what taking it back needs: {"fields": {name: [before, after]}, "tags": [..], "children": [..]}
    before = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)  # part -> ids that went from gone to kept

    class Meta:
        ordering = ["-merged_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gone"], name="merged_once", condition=Q(undone_at__isnull=True)
            ),
            models.CheckConstraint(condition=~Q(gone=models.F("kept")), name="merge_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.gone} -> {self.kept}"


class NotDuplicate(models.Model):
    """Somebody looked at this pair and said that they are two companies."""

    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    said_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_duplicate_once"),
            models.CheckConstraint(condition=Q(first__lt=models.F("second")), name="pair_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} / {self.second_id}"
