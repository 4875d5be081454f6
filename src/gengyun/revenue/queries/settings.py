"""The settings of this package: one row, with the product's defaults until somebody saves them."""

from datetime import date

from gengyun.revenue.calc.policies import DEFAULT, Policy, PolicyUnknown, choose
from gengyun.revenue.models import RevenueSettings, Spend


def current() -> RevenueSettings:
    """The saved row, or an unsaved one with the defaults."""
    return RevenueSettings.objects.filter(pk=1).first() or RevenueSettings(pk=1)


def policy() -> Policy:
    """The company's conventions. A choice that no longer exists falls back to the default."""
    chosen = DEFAULT
    for key, value in current().policies.items():
        try:
            chosen = choose({key: value}, chosen)
        except PolicyUnknown:
            continue
    return chosen


def spend_rows(*, since: date | None = None, until: date | None = None) -> list[Spend]:
    """What was spent, newest month first; both ends are first days of months, inclusive."""
    rows = Spend.objects.select_related("user").order_by("-month", "kind", "user__name", "pk")
    if since is not None:
        rows = rows.filter(month__gte=since)
    if until is not None:
        rows = rows.filter(month__lte=until)
    return list(rows)
