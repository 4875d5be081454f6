"""Contracts that renew themselves: the next term begins when the last one is over and nobody gave
notice."""

from datetime import date, timedelta

from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.lines import Checked, arr_of, complete, write_line
from gengyun.revenue.actions.renewing import same_again
from gengyun.revenue.actions.settling import goes_on, is_unanswered
from gengyun.revenue.actions.succeeding import succeed
from gengyun.revenue.models import Line
from gengyun.revenue.models import RevenueSettings as Settings
from gengyun.revenue.queries.settings import arr_policy

DAY = timedelta(days=1)
MOST_TERMS = 120  # of one line at once: ten years of months


def renew_automatically(book: Book, *, as_of: date, settings: Settings) -> list[Line]:
    """The next terms of lines whose last day is before `as_of`; notice given has ended them."""
    written: list[Line] = []
    for customer_id in sorted(book.customers):
        for line in list(book.of_customer[customer_id]):
            current = line
            for _ in range(MOST_TERMS):
                is_over = current.ends_on is not None and current.ends_on < as_of
                if not (is_over and goes_on(current) and is_unanswered(book, current)):
                    break
                current = _next_term(book, current, settings)
                written.append(current)
    return written


def _next_term(book: Book, line: Line, settings: Settings) -> Line:
    """The same once more; what a check would flag was flagged when the first term was signed."""
    contract = line.contract
    new = complete(same_again(line), contract)
    found = Checked(new, arr_of(new, arr_policy(settings)), [])
    written = write_line(book, contract, found, previous=line)
    succeed(
        book,
        old=[line],
        new=[written],
        signed_on=None,
        known_at=book.known_at,
        grace=timedelta(days=settings.loss_grace_days),
    )
    if contract.ends_on is not None and new.ends_on is not None and new.ends_on > contract.ends_on:
        contract.ends_on = new.ends_on
        contract.save(update_fields=["ends_on"])
    told = {"renews": [None, line.pk], "ends_on": [line.ends_on, written.ends_on]}
    book.tell("line.renew_automatically", written, told)
    return written
