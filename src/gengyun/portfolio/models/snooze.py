"""A need put off until a day, or done: it is not shown again until it gets worse or comes anew."""

from django.db import models

from gengyun.customers.models import Customer
from gengyun.team.models import User


class Snooze(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="snoozes")
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    code = models.CharField(max_length=30)  # code of the need
    severity = models.PositiveSmallIntegerField()  # severity when it was put off
    until = models.DateField(null=True)  # null: done, silent for this occurrence
    since = models.DateField()  # the occurrence: the need's own `since`
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "code", "since"], name="snooze_occurrence")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.code}"
