"""The counters a person saw at the last visit: what "change since last visit" compares with."""

from django.db import models

from gengyun.team.models import User


class SeenCounters(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=8)  # mine, team
    visit_at = models.DateTimeField(null=True)  # the visit `values` belong to
    values = models.JSONField(default=dict)  # counter code -> number, as last seen
    before = models.JSONField(default=dict)  # the same at the end of the visit before
    before_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "scope"], name="seen_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.scope}"
