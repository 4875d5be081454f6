"""Who takes part: the customers of a condition become customers, contacts or products of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from gengyun.customers.models import Contact
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.models import Line, Renewal
from gengyun.revenue.models.renewals import RenewalState
from gengyun.sop.calc.form import Form
from gengyun.usage.queries.metrics import values_as_of

CHUNK = 5_000
# whom a role means, the best known first
ROLE_PARTS = {
    "champion": (Contact.Part.CHAMPION,),
    "decider": (Contact.Part.DECIDER,),
    "user": (Contact.Part.USER,),
}


@dataclass(frozen=True)
class Participant:
    identity: str
    customer_id: int
    contact_id: int | None = None
    product_key: str = ""


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def participants(form: Form, customer_ids: Sequence[int], *, day: date) -> list[Participant]:
    """In the order of the customers; a customer without such a contact or product has none."""
    if form.identity == "customer":
        return [Participant(f"c:{pk}", pk) for pk in customer_ids]
    found: dict[int, list[Participant]] = {}
    for part in chunks(customer_ids):
        rows = _contacts(form, part) if form.identity == "contact" else _products(part, day)
        for one in rows:
            found.setdefault(one.customer_id, []).append(one)
    return [one for pk in customer_ids for one in found.get(pk, ())]


def _contacts(form: Form, ids: Collection[int]) -> Iterator[Participant]:
    rows = Contact.objects.filter(customer_id__among=ids, left_on__isnull=True)
    if form.contact_role != "any":
        rows = rows.filter(part__in=ROLE_PARTS[form.contact_role])
    for pk, customer_id in rows.order_by("customer_id", "pk").values_list("pk", "customer_id"):
        yield Participant(f"k:{pk}", customer_id, contact_id=pk)


def _products(ids: Collection[int], day: date) -> Iterator[Participant]:
    covering = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    rows = (
        Line.objects.filter(covering, customer_id__among=ids, starts_on__lte=day, voided_at=None)
        .order_by("customer_id", "product__key")
        .values_list("customer_id", "product__key")
        .distinct()
    )
    for customer_id, key in rows:
        yield Participant(f"p:{customer_id}:{key}", customer_id, product_key=key)


def entry_facts(
    form: Form, customer_ids: Collection[int], *, day: date
) -> dict[int, dict[str, Any]]:
    """What is frozen with a run when it begins, in both arms: the effect is measured against it."""
    ids = sorted(set(customer_ids))
    metric: dict[int, dict[str, float | None]] = {}
    key = form.outcome.key if form.outcome and form.outcome.kind == "metric" else ""
    if key and ids:
        metric = values_as_of(day, metric_keys=[key], customer_ids=ids)
    found: dict[int, dict[str, Any]] = {}
    for part in chunks(ids):
        renewals = _renewals(part, day)
        rows = CustomerSummary.objects.filter(pk__among=part).values_list(
            "pk", "churn", "score", "band", "arr_minor", "currency", "renews_on", "tier__key"
        )
        for pk, churn, score, band, arr, currency, renews_on, tier in rows:
            found[pk] = {
                "churn": churn,
                "health": score,
                "band": band,
                "arr_minor": arr,
                "currency": currency,
                "renewal_id": renewals.get(pk),
                "renews_on": renews_on.isoformat() if renews_on else None,
                "tier": tier,
                "metric": metric.get(pk, {}).get(key),
            }
    return found


def _renewals(ids: Collection[int], day: date) -> dict[int, int]:
    """The open renewal that comes due next."""
    rows = Renewal.objects.filter(
        customer_id__among=ids, state=RenewalState.OPEN, due_on__gte=day
    ).order_by("-due_on", "-pk")
    return dict(rows.values_list("customer_id", "pk"))  # the last of a customer: the earliest
