"""Since when a customer is known: a history that reaches further back moves it."""

from collections.abc import Mapping
from datetime import datetime

from gengyun.customers.models import Customer


def known_since(earliest: Mapping[int, datetime]) -> int:
    """Move `known_at` back to a customer's earliest trace; never forward. Returns how many moved.

    Call it inside the transaction of the change. Field values keep the moment from which they
    were known: only the customer's existence is older than we thought.
    """
    moved = 0
    for customer in Customer.objects.filter(pk__in=earliest):
        if earliest[customer.pk] < customer.known_at:
            customer.known_at = earliest[customer.pk]
            customer.save(update_fields=["known_at"])
            moved += 1
    return moved
