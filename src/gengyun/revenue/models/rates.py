"""Exchange rates by day: 1 `currency` = `rate` of `base`."""

from django.db import models
from django.db.models import Q


class ExchangeRate(models.Model):
    """Holds from `on` until the next row of the pair. A correction is a row known later."""

    currency = models.CharField(max_length=3)
    base = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    source = models.CharField(max_length=80, default="", blank=True)
    known_at = models.DateTimeField()

    class Meta:
        ordering = ["currency", "base", "on", "pk"]
        indexes = [models.Index(fields=["base", "currency", "on"], name="rate_pair_day")]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_positive"),
            models.UniqueConstraint(
                fields=["currency", "base", "on", "known_at"], name="rate_known_once"
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.rate} {self.base} ({self.on})"
