"""Users of the customer's product, as its events name them."""

from django.db import models

from gengyun.customers.models import Customer


class ProductUser(models.Model):
    external_id = models.CharField(max_length=200, unique=True)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.CASCADE, related_name="product_users"
    )
    name = models.CharField(max_length=120, default="", blank=True)
    email = models.CharField(max_length=254, default="", blank=True)
    traits = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_seen_at", "pk"]

    def __str__(self) -> str:
        return self.name or self.external_id


class UserAlias(models.Model):
    """An id that turned out to be another user's."""

    previous_id = models.CharField(max_length=200, unique=True)
    user_id = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.previous_id} -> {self.user_id}"
