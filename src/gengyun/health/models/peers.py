"""Percentiles of similar customers, made once a quarter and frozen until the next."""

from django.db import models


class PeerCurve(models.Model):
    """Percentiles of a metric among the peers, see `health.calc.peers`. Append-only.

    `points` is null where there were too few peers: the fixed curve of the factor stands in.
    """

    metric = models.CharField(max_length=60)
    peers = models.CharField(max_length=80)  # "all", "tier:3", "tier:3/stage:rollout"
    quarter = models.DateField()  # first day of the quarter it holds for
    percentiles = models.JSONField(null=True)  # [p10, p35, p65, p90]
    count = models.PositiveIntegerField()  # customers behind it
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["quarter", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["metric", "peers", "quarter"], name="peer_curve_once")
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.peers} {self.quarter}"
