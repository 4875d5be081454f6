"""A named filter, sort and choice of columns over the customer list."""

from django.db import models

from gengyun.team.models import User


class SavedView(models.Model):
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    is_shared = models.BooleanField(default=False)
    query = models.JSONField(default=dict)  # {"filters": [...], "sort": "-score", "columns": [...]}
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name")]

    def __str__(self) -> str:
        return self.name
