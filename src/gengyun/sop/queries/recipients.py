"""To whom a step speaks: customers with their contacts, in words of their language."""

from collections.abc import Iterable, Sequence

from gengyun.customers.models import Contact, Customer
from gengyun.sop.calc.effects import Due
from gengyun.sop.queries.participants import ROLE_PARTS

# "any": whom we would ask first
ANY_ORDER = ("champion", "decider", "user", "procurement", "other")


def customers_of(due: Iterable[Due]) -> dict[int, Customer]:
    ids = sorted({one.customer_id for one in due})
    found: dict[int, Customer] = {}
    for start in range(0, len(ids), 500):
        found |= Customer.objects.present().in_bulk(ids[start : start + 500])
    return found


def contacts_of(due: Sequence[Due], role: str) -> dict[str, Contact]:
    """Key of the step -> the contact: the run's own, or the customer's first in this role."""
    own = Contact.objects.filter(
        pk__in={one.contact_id for one in due if one.contact_id}, left_on__isnull=True
    ).in_bulk()
    ids = sorted({one.customer_id for one in due if one.contact_id is None})
    first: dict[int, Contact] = {}
    parts = ROLE_PARTS.get(role) or ANY_ORDER
    place = {part: n for n, part in enumerate(parts)}
    for start in range(0, len(ids), 500):
        rows = Contact.objects.filter(
            customer_id__in=ids[start : start + 500], left_on__isnull=True, part__in=parts
        )
        for contact in sorted(rows, key=lambda one: (place[one.part], one.email == "", one.pk)):
            first.setdefault(contact.customer_id, contact)
    found = {}
    for one in due:
        contact = own.get(one.contact_id) if one.contact_id else first.get(one.customer_id)
        if contact is not None:
            found[one.key] = contact
    return found
