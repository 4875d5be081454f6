"""The watch-list: what goes down slowly. A list to look at, nobody's work item."""

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from gengyun.alerts.models import AlertRule, Episode
from gengyun.alerts.queries.queue import Filters
from gengyun.customers.models import Customer
from gengyun.team.models import User


def watch_list(actor: User | None, filters: Filters | None = None) -> QuerySet[Episode]:
    """Running lines of customers whom the actor sees, the largest amount first.

    Of the queue's filters those count that are about the customer, and the rule.
    """
    wanted = filters or Filters()
    seen = Customer.objects.visible_to(actor).present()
    rows = Episode.objects.filter(
        rule__kind=AlertRule.Kind.SLOW_SLIDE,
        state=Episode.State.OPEN,
        closed_on__isnull=True,  # says the same, and there is an index of it
        alert__isnull=True,
        customer__in=seen,
    )
    if wanted.owner_id is not None:
        rows = rows.filter(customer__owner_id=wanted.owner_id or None)
    if wanted.rules:
        rows = rows.filter(rule_id__in=wanted.rules)
    if wanted.tiers:
        rows = rows.filter(customer__tier_id__in=wanted.tiers)
    if wanted.text:
        rows = rows.filter(customer__name__icontains=wanted.text)
    amount = Coalesce(F("customer__arr_minor"), 0).desc()
    related = rows.select_related("rule", "customer__tier", "customer__owner")
    return related.order_by(amount, "opened_on", "pk")
