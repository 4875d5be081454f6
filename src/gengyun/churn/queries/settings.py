"""The settings of the churn probability, with what holds where nobody chose."""

from collections.abc import Iterable
from typing import Any

from gengyun.churn.calc.standards import (
    OTHER_TIER,
    BaseRate,
    Threshold,
    Weight,
    base_rates,
    thresholds,
    weights,
)
from gengyun.churn.calc.table import Feature
from gengyun.churn.models import ChurnSettings, Event, EventChoice
from gengyun.customers.models import Tier
from gengyun.revenue.models import Renewal
from gengyun.revenue.queries.settings import current as revenue_settings


def current() -> ChurnSettings:
    """The one row, or the defaults: reading never writes."""
    return ChurnSettings.objects.filter(pk=1).first() or ChurnSettings(pk=1)


def event_of(settings: ChurnSettings) -> Event:
    """What the probability is of here: silence only where nothing ever comes due."""
    if settings.event == EventChoice.AUTO:
        return Event.NON_RENEWAL if Renewal.objects.exists() else Event.SILENT
    return Event(settings.event)


def weights_in_force(settings: ChurnSettings, features: Iterable[Feature]) -> dict[str, Weight]:
    return weights(settings.weights, {feature.key: feature.weight for feature in features})


def base_rates_in_force(settings: ChurnSettings) -> dict[str, BaseRate]:
    """By key of a tier; "" stands for the others."""
    bp = revenue_settings().stated_renewal_bp
    return base_rates(settings.base_rates, None if bp is None else 1 - bp / 10_000)


def base_rates_by_place(settings: ChurnSettings) -> dict[int, BaseRate]:
    """By the place of a tier in a table (-1: none), see `tier_places`."""
    rates = base_rates_in_force(settings)
    found = {-1: rates[OTHER_TIER]}
    for place, tier in enumerate(Tier.objects.order_by("pk")):
        found[place] = rates.get(tier.key, rates[OTHER_TIER])
    return found


def thresholds_in_force(settings: ChurnSettings) -> dict[str, Threshold]:
    return thresholds(settings.thresholds)


def as_settings(settings: ChurnSettings, features: Iterable[Feature]) -> dict[str, Any]:
    """What a model is made under, as JSON: it is kept with the model."""
    return {
        "version": settings.version,
        "event": str(event_of(settings)),
        "grace_days": settings.grace_days,
        "silent_days": settings.silent_days,
        "weights": {
            key: [row.weight, row.source]
            for key, row in weights_in_force(settings, features).items()
        },
        "base_rates": {
            key: [row.rate, row.worth, row.source]
            for key, row in base_rates_in_force(settings).items()
        },
    }
