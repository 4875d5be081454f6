"""The book of the customers whose lines an action works on, and its lines as they are now."""

from collections.abc import Sequence
from datetime import datetime

from gengyun.customers.actions.scope import all_mine
from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotFound
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.refusals import KnownLater
from gengyun.revenue.models import Line
from gengyun.team.models import User
from gengyun.team.queries.access import require


def open_book(
    *,
    actor: User | None,
    now: datetime,
    lines: Sequence[Line],
    beside: Sequence[Customer] = (),
    known_at: datetime | None = None,
) -> tuple[Book, list[Line]]:
    """Fresh lines with the customers' whole ledger; not found for who does not see them."""
    require(actor, "contract.edit")
    if known_at is not None and known_at > now:
        raise KnownLater
    owners = Customer.objects.filter(pk__in={line.customer_id for line in lines})
    book = Book(
        actor=actor, now=now, customers=all_mine(actor, [*owners, *beside]), known_at=known_at
    )
    found = [book.lines[line.pk] for line in lines if line.pk in book.lines]
    if len(found) != len(lines) or not found:
        raise NotFound  # voided, or never there
    return book, found
