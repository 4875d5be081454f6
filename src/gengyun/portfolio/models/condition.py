"""What conditions were true since when: written once a day, only where something changed."""

from django.db import models

from gengyun.customers.models import Customer


class Watch(models.Model):
    """A condition that somebody follows from day to day: an SOP's entry, a "for n days"."""

    hash = models.CharField(max_length=32, unique=True)  # expressions.fingerprint
    expression = models.JSONField()
    first_on = models.DateField()  # before it nothing is known
    followed_on = models.DateField()  # the newest day that was looked at

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.hash


class ConditionState(models.Model):
    """What is behind a "for n days" holds for the customer since a day; no row: it does not, or is
    not known."""

    watch = models.ForeignKey(
        Watch, on_delete=models.CASCADE, related_name="states", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    since_on = models.DateField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["watch", "customer"], name="one_state_per_customer")
        ]
        indexes = [
            models.Index(fields=["watch", "since_on", "customer"], name="state_since"),
            models.Index(fields=["customer"], name="state_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.watch_id}.{self.customer_id}"


class WatchBlock(models.Model):
    """Since when a whole condition holds, of all customers whose keys lie in one block.

    Fifty SOPs over a million customers would be millions of rows of `ConditionState`, read and
    compared every day; no query has to join these, so a block is one row. See `calc.blocks`.
    """

    watch = models.ForeignKey(
        Watch, on_delete=models.CASCADE, related_name="blocks", db_index=False
    )
    block = models.PositiveIntegerField()
    since = models.BinaryField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["block", "watch"], name="one_block_per_watch")
        ]
        indexes = [models.Index(fields=["watch"], name="block_watch")]

    def __str__(self) -> str:
        return f"{self.watch_id}.{self.block}"


class FieldState(models.Model):
    """The value of a followed field when it was last looked at, and the one before."""

    field = models.CharField(max_length=60)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    value = models.CharField(max_length=500, default="", blank=True)  # "": none
    previous = models.CharField(max_length=500, null=True)
    changed_on = models.DateField(null=True)  # null: not since it is followed

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["field", "customer"], name="one_value_per_customer")
        ]
        indexes = [
            models.Index(fields=["field", "changed_on", "customer"], name="field_changed"),
            models.Index(fields=["customer"], name="field_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.field}.{self.customer_id}"
