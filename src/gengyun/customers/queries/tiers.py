"""Tiers, their rules and stages, as the rest of the product reads them."""

from django.db.models import Count, Q

from gengyun.customers.calc.tiering import Rule, parse_conditions
from gengyun.customers.models import Stage, Tier, TierRule


def active_rules() -> list[Rule]:
    """The stored table, in order, for `calc.tiering.tier_for`."""
    return [
        Rule(rule.tier_id, parse_conditions(rule.conditions))
        for rule in TierRule.objects.order_by("position")
    ]


def tiers_with_counts() -> list[Tier]:
    """Every tier with `customer_count` (present customers) and `manual_count` among them."""
    present = Q(customer__archived_at__isnull=True)
    return list(
        Tier.objects.annotate(
            customer_count=Count("customer", filter=present),
            manual_count=Count("customer", filter=present & Q(customer__tier_set_by__isnull=False)),
        ).order_by("position", "pk")
    )


def stages_of(touch_model: str) -> list[Stage]:
    return list(Stage.objects.filter(touch_model=touch_model).order_by("position", "pk"))


def first_stage(touch_model: str) -> Stage | None:
    return Stage.objects.filter(touch_model=touch_model).order_by("position", "pk").first()
