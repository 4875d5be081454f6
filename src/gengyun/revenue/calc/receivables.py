"""What is owed: invoices against payments (回款). Pure.

A payment that names its invoice pays that one; the rest pays the oldest due first (先进先出), by
currency. A refund gives money back and does not make an invoice owed again: what should not have
been charged is corrected by a void or by a correcting movement.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class Owed:
    """An invoice past its due day, with what of it is still unpaid (minor unit, > 0)."""

    invoice_id: int
    customer_id: int
    number: str
    due_on: date
    unpaid_minor: int
    currency: str


@dataclass(frozen=True)
class Overdue:
    """What a customer has not paid in time. `amounts`: currency -> minor unit."""

    customer_id: int
    days: int  # since the due day of the oldest
    oldest: Owed
    count: int
    amounts: Mapping[str, int]

    @property
    def main(self) -> tuple[str, int]:
        """Currency and amount of the largest part; amounts of currencies are not added up."""
        return max(self.amounts.items(), key=lambda part: (part[1], part[0]))


def spread(owed: Iterable[Owed], unmatched: Mapping[tuple[int, str], int]) -> list[Owed]:
    """What stays unpaid when `unmatched` money (customer, currency -> minor) goes to the oldest.

    Order of the answer: due day, then invoice.
    """
    left = {key: max(0, amount) for key, amount in unmatched.items()}
    found = []
    for one in sorted(owed, key=lambda invoice: (invoice.due_on, invoice.invoice_id)):
        key = (one.customer_id, one.currency)
        paid = min(left.get(key, 0), one.unpaid_minor)
        if paid:
            left[key] -= paid
        if one.unpaid_minor > paid:
            found.append(replace(one, unpaid_minor=one.unpaid_minor - paid))
    return found


def by_customer(owed: Iterable[Owed], as_of: date) -> dict[int, Overdue]:
    """One `Overdue` per customer with something owed; the oldest decides about the days."""
    groups: dict[int, list[Owed]] = defaultdict(list)
    for one in owed:
        groups[one.customer_id].append(one)
    found = {}
    for customer_id, rows in groups.items():
        oldest = min(rows, key=lambda invoice: (invoice.due_on, invoice.invoice_id))
        amounts: dict[str, int] = defaultdict(int)
        for row in rows:
            amounts[row.currency] += row.unpaid_minor
        days = (as_of - oldest.due_on).days
        found[customer_id] = Overdue(customer_id, days, oldest, len(rows), dict(amounts))
    return found
