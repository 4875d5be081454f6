"""To whom a step speaks: customers with their contacts, in words of their language."""

from collections.abc import Iterable, Sequence

from gengyun.customers.models import Contact, Customer
from gengyun.sop.calc.effects import Due
from gengyun.sop.queries.participants import ROLE_PARTS

# "any": whom we would ask first
ANY_ORDER = ("champion", "decider", "user", "procurement", "other")


# what texts and notices say of a customer
SAID = ("external_id", "name", "edition", "seats", "started_on", "renews_on", "owner")


def customers_of(due: Iterable[Due]) -> dict[int, Customer]:
    """Those that are still there; of each only what is said of it."""
    ids = sorted({one.customer_id for one in due})
    rows = Customer.objects.present().filter(pk__among=ids).order_by()
    return {row.pk: row for row in rows.only(*SAID)}


def contacts_of(due: Sequence[Due], role: str) -> dict[str, Contact]:
    """Key of the step -> the contact: the run's own, or the customer's first in this role."""
    named = sorted({one.contact_id for one in due if one.contact_id})
    there = Contact.objects.filter(pk__among=named, left_on__isnull=True).order_by()
    own = {contact.pk: contact for contact in there}
    ids = sorted({one.customer_id for one in due if one.contact_id is None})
    first: dict[int, Contact] = {}
    parts = ROLE_PARTS.get(role) or ANY_ORDER
    place = {part: n for n, part in enumerate(parts)}
    rows = Contact.objects.filter(customer_id__among=ids, left_on__isnull=True, part__in=parts)
    rows = rows.order_by()
    for each in sorted(rows, key=lambda one: (place[one.part], one.email == "", one.pk)):
        first.setdefault(each.customer_id, each)
    found = {}
    for one in due:
        contact = own.get(one.contact_id) if one.contact_id else first.get(one.customer_id)
        if contact is not None:
            found[one.key] = contact
    return found
