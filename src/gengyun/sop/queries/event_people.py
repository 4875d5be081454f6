"""Which contact of ours an event is of, where it is of one."""

from collections.abc import Iterable

from gengyun.customers.models import Contact
from gengyun.sop.models import EventHit
from gengyun.usage.models import ProductUser


def contacts_of(hits: Iterable[EventHit]) -> dict[int, int]:
    """Hit -> contact of its customer who is still there: named by the event, else whose user of the
    product it is, else the one with that user's address, if only one has it."""
    found: dict[int, int] = {}
    by_user: dict[tuple[int, str], list[int]] = {}
    for hit in hits:
        if hit.contact_id is not None:
            found[hit.pk] = hit.contact_id
        elif hit.user_id:
            by_user.setdefault((hit.customer_id, hit.user_id), []).append(hit.pk)
    if by_user:
        users, addresses = _contacts({customer for customer, _ in by_user})
        mails = _mails({user for _, user in by_user})
        for (customer, user), keys in by_user.items():
            mail = (customer, mails.get(user, ""))
            contact = users.get((customer, user)) or addresses.get(mail)
            if contact:
                found.update(dict.fromkeys(keys, contact))
    return found


def _contacts(
    customers: set[int],
) -> tuple[dict[tuple[int, str], int], dict[tuple[int, str], int]]:
    """By user of the product, and by address; 0 where two have the same address."""
    users: dict[tuple[int, str], int] = {}
    addresses: dict[tuple[int, str], int] = {}
    there = Contact.objects.filter(customer_id__among=sorted(customers), left_on__isnull=True)
    rows = there.order_by("pk").values_list("pk", "customer_id", "product_user_id", "email")
    for pk, customer, user, mail in rows:
        if user:
            users.setdefault((customer, user), pk)
        if mail:
            place = (customer, mail.casefold())
            addresses[place] = 0 if place in addresses else pk
    return users, addresses


def _mails(users: set[str]) -> dict[str, str]:
    rows = ProductUser.objects.filter(external_id__among=sorted(users)).exclude(email="")
    found = rows.order_by().values_list("external_id", "email")
    return {user: mail.casefold() for user, mail in found}
