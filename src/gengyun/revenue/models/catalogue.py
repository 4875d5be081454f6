"""What is sold: products and their editions."""

from django.db import models
from django.db.models import Q


class Product(models.Model):
    key = models.SlugField(max_length=60, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    # products of one family replace each other; a line without a group renews within its family
    family = models.CharField(max_length=60, default="", blank=True)
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name_zh


class Edition(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="editions")
    key = models.SlugField(max_length=60)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    rank = models.PositiveSmallIntegerField(default=0)  # higher = more

    class Meta:
        ordering = ["product", "rank", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="edition_once"),
            models.CheckConstraint(condition=~Q(key=""), name="edition_has_key"),
        ]

    def __str__(self) -> str:
        return self.name_zh
