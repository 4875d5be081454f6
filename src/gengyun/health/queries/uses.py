"""Which scorecards are made of a metric."""

from gengyun.health.models import Scorecard
from gengyun.health.queries.cards import config_of


def scorecards_by_metric() -> dict[str, list[Scorecard]]:
    """Metric key -> scorecards whose newest version reads it, in the order of the scorecards."""
    found: dict[str, list[Scorecard]] = {}
    for scorecard in Scorecard.objects.filter(retired_at__isnull=True).prefetch_related("versions"):
        newest = max(scorecard.versions.all(), key=lambda version: version.number, default=None)
        for key in config_of(newest).metrics() if newest else ():
            found.setdefault(key, []).append(scorecard)
    return found
