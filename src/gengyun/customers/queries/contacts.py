"""Finding contacts."""

from django.db.models import Value
from django.db.models.functions import Lower, StrIndex
from django.db.models.lookups import GreaterThan

from gengyun.customers.models import Contact
from gengyun.team.models import User


def contacts_named(actor: User | None, text: str, *, limit: int) -> list[Contact]:
    """Present contacts whose name holds the text, by name, with their customer."""
    # most names are Chinese and have no case: nothing to fold then, which halves the cost
    has_case = text.lower() != text.upper()
    name = StrIndex(Lower("name") if has_case else "name", Value(text.lower()))
    rows = Contact.objects.visible_to(actor).filter(GreaterThan(name, 0), left_on__isnull=True)
    keys = list(rows.order_by("name", "pk").values_list("pk", flat=True)[:limit])
    found = Contact.objects.select_related("customer").in_bulk(keys)
    return [found[key] for key in keys if key in found]
