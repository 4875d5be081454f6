"""The facts that a text to a customer may name, as words in its language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from django.db.models import Q

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.models import TouchPreference
from gengyun.team.models import User

Facts = dict[str, str | None]


def facts_for(customer: Customer, contact: Contact | None, *, today: date, language: str) -> Facts:
    return _facts(customer, contact, customer.owner, today, language)


def facts_for_many(
    pairs: Sequence[tuple[Customer, Contact | None]], *, today: date, language: str
) -> list[Facts]:
    """The same for many, with one query for their CSMs."""
    owners = User.objects.in_bulk({one.owner_id for one, _ in pairs if one.owner_id is not None})
    return [
        _facts(customer, contact, owners.get(customer.owner_id or 0), today, language)
        for customer, contact in pairs
    ]


def languages_of(
    pairs: Iterable[tuple[int, int | None]], *, otherwise: str = "zh-hans"
) -> dict[tuple[int, int | None], str]:
    """{(customer id, contact id): language}: the contact's own wish, else the customer's."""
    wanted = list(pairs)
    rows = TouchPreference.objects.filter(
        Q(customer__among=sorted({one for one, _ in wanted}))
        | Q(contact__among=sorted({two for _, two in wanted if two is not None}))
    ).exclude(language="")
    found: Mapping[tuple[str, int | None], str] = {
        ("contact", contact) if contact else ("customer", customer): language
        for customer, contact, language in rows.values_list("customer_id", "contact_id", "language")
    }
    return {
        pair: found.get(("contact", pair[1])) or found.get(("customer", pair[0])) or otherwise
        for pair in wanted
    }


def _facts(
    customer: Customer, contact: Contact | None, owner: User | None, today: date, language: str
) -> Facts:
    zh = language.startswith("zh")
    renews = customer.renews_on
    left = (renews - today).days if renews is not None else None
    return {
        "contact.name": contact.name if contact is not None else None,
        "contact.title": (contact.title or None) if contact is not None else None,
        "customer.name": customer.name,
        "customer.edition": customer.edition or None,
        "customer.seats": str(customer.seats) if customer.seats is not None else None,
        "customer.started_on": _day(customer.started_on, zh),
        "customer.renews_on": _day(renews, zh),
        "customer.days_to_renewal": str(left) if left is not None and left >= 0 else None,
        "csm.name": owner.name if owner is not None else None,
        "csm.email": owner.email if owner is not None else None,
        "today": _day(today, zh),
    }


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@lru_cache(maxsize=1_000)
def _day(day: date | None, zh: bool) -> str | None:
    if day is None:
        return None
    if zh:
        return f"{day.year} 年 {day.month} 月 {day.day} 日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
