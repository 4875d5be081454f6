"""Finding customers and what hangs on them, as an actor sees them."""

from collections.abc import Iterable

from django.db.models import F, QuerySet

from gengyun.customers.models import Contact, Customer, StageStay, Tag
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User


def get(actor: User | None, pk: int) -> Customer:
    """The customer with what a header shows; a guessed id is "not found".

    Of the few that have one, group and whoever set the tier are read when they are shown.
    """
    rows = Customer.objects.visible_to(actor).select_related("owner", "tier", "stage")
    found = next(iter(rows.filter(pk=pk).order_by()[:1]), None)
    if found is None:
        raise NotFound
    return found


def get_many(actor: User | None, pks: Iterable[int]) -> list[Customer]:
    """All of them or "not found": a bulk change never does a part silently."""
    wanted = set(pks)
    found = list(Customer.objects.visible_to(actor).filter(pk__in=wanted))
    if len(found) != len(wanted):
        raise NotFound
    return found


def get_contact(actor: User | None, pk: int) -> Contact:
    found = Contact.objects.visible_to(actor).select_related("customer").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def contacts_of(actor: User | None, customer: Customer) -> QuerySet[Contact]:
    """Those who are still there first."""
    rows = Contact.objects.visible_to(actor).filter(customer=customer)
    return rows.order_by(F("left_on").asc(nulls_first=True), "name", "pk")


def stays_of(customer: Customer) -> list[StageStay]:
    """Every stay in a stage, newest first."""
    return list(StageStay.objects.filter(customer=customer).select_related("stage"))


def tags_in_use() -> QuerySet[Tag]:
    return Tag.objects.filter(customer__isnull=False).distinct()


def values_in_use(actor: User | None, field: str) -> list[str]:
    """The industries, regions or editions that occur, for the choices of a filter."""
    if field not in {"industry", "region", "edition", "currency"}:
        raise ValueError(field)
    rows = Customer.objects.visible_to(actor).present().exclude(**{field: ""}).order_by(field)
    return list(rows.values_list(field, flat=True).distinct())
