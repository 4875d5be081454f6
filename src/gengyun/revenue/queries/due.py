"""Renewals that are open: those that come due, and those past due without an outcome."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Q

from gengyun.kernel.days import start_of
from gengyun.revenue.models import Renewal, RenewalChange, RenewalState

FEW = 2_000  # ids that go into a query; more are sorted out here
LATEST = 365  # days past due after which a renewal without an outcome is no longer work of the day


@dataclass(frozen=True)
class OpenRenewal:
    """A renewal as it stood: `due_minor` in the currency's minor unit, `category` as said then."""

    renewal_id: int
    customer_id: int
    group: str
    due_on: date
    due_minor: int
    forecast_minor: int | None
    currency: str
    category: str
    product_zh: str = ""  # "": lines of several products
    product_en: str = ""


def open_renewals(
    as_of: date,
    *,
    until: date,
    moment: datetime | None = None,
    customer_ids: Collection[int] | None = None,
) -> list[OpenRenewal]:
    """Renewals without an outcome on `as_of` that come due up to `until` (included), oldest first.

    The category is the one in force before `moment` (default: the start of the day), found by going
    back through the changes.
    """
    moment = moment or start_of(as_of)
    still = Q(state=RenewalState.OPEN) | Q(decided_on__gte=as_of)
    rows = Renewal.objects.filter(still, due_on__lte=until, created_at__lt=moment).exclude(
        state=RenewalState.MERGED
    )
    rows = rows.filter(due_on__gte=date.fromordinal(max(1, as_of.toordinal() - LATEST)))
    wanted = None if customer_ids is None else frozenset(customer_ids)
    if wanted is not None and len(wanted) <= FEW:
        rows = rows.filter(customer_id__in=sorted(wanted))
    found = [
        OpenRenewal(*row[:8], row[8] or "", row[9] or "")
        for row in rows.order_by("due_on", "pk").values_list(
            "pk",
            "customer_id",
            "group",
            "due_on",
            "due_minor",
            "forecast_minor",
            "currency",
            "category",
            "product__name_zh",
            "product__name_en",
        )
        if wanted is None or row[1] in wanted
    ]
    return _as_said(found, moment)


def _as_said(rows: list[OpenRenewal], moment: datetime) -> list[OpenRenewal]:
    """Categories before `moment`: the oldest change after it says what was there."""
    later = RenewalChange.objects.filter(field="category", at__gte=moment)
    ids = [row.renewal_id for row in rows]
    if len(ids) <= FEW:
        later = later.filter(renewal_id__in=ids)
    before = {
        pk: str(old) for pk, old in later.order_by("-at", "-pk").values_list("renewal_id", "old")
    }
    if not before:
        return rows
    return [replace(row, category=before.get(row.renewal_id, row.category)) for row in rows]
