"""Lines that ran out: renewed automatically, or ended when the grace days are over."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.succeeding import end
from gengyun.revenue.models import Line
from gengyun.revenue.models import RevenueSettings as Settings

DAY = timedelta(days=1)


def settle_book(
    book: Book,
    *,
    as_of: date,
    settings: Settings,
    customer_ids: Collection[int] | None = None,
    known_at: datetime | None = None,
    instead_of: str = "",
) -> int:
    """End what ran out and was not renewed within the grace days, as the day `as_of` is over.

    Lines of contracts that renew automatically are left to the new day (`automatic`), but for those
    of the group `instead_of`, where a later line shows that they did not. Returns how many ended.
    """
    grace = timedelta(days=settings.loss_grace_days)
    done = 0
    for customer_id in sorted(book.customers if customer_ids is None else customer_ids):
        by_day: dict[date, list[Line]] = {}
        for line in book.of_customer[customer_id]:
            is_over = line.ends_on is not None and line.ends_on + grace <= as_of
            if goes_on(line) and line.group != instead_of:
                continue
            if line.ends_on is not None and is_over and is_unanswered(book, line):
                by_day.setdefault(line.ends_on, []).append(line)
        for ends_on, lines in sorted(by_day.items()):
            end(book, lines, on=ends_on + DAY, answers_due=True, known_at=known_at)
            done += len(lines)
    return done


def goes_on(line: Line) -> bool:
    """Does its contract renew it without anybody signing?"""
    return line.contract.auto_renew and line.contract.ended_on is None


def is_unanswered(book: Book, line: Line) -> bool:
    """Has the line ARR that neither a successor nor an end takes over? A pause is no answer."""
    return book.balance(line) + book.paused(line) != 0
