"""Lines that end: at their last day or before, by decision or not."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.kernel.days import day_of
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import DayOutsideLine, LineAnswered
from gengyun.revenue.actions.succeeding import end
from gengyun.revenue.calc.terms import first_day_without
from gengyun.revenue.models import Contract, Line, Movement
from gengyun.revenue.queries.settings import churn_date, current
from gengyun.team.models import User

DAY = timedelta(days=1)


@transaction.atomic
def terminate(
    *,
    actor: User | None,
    now: datetime,
    lines: Sequence[Line],
    cancelled_on: date | None = None,
    last_day: date | None = None,
    cause: str = "",
    involuntary: bool = False,
    note: str = "",
    known_at: datetime | None = None,
) -> list[Movement]:
    """Lines of one or more customers are lost. Without `last_day` the policy `churn_date` says from
    when on they count no more; an open-ended line runs on for the contract's days of notice."""
    book, rows = open_book(actor=actor, now=now, lines=lines, known_at=known_at)
    if any(book.balance(row) + book.paused(row) <= 0 for row in rows):
        raise LineAnswered
    settings = current()
    cancelled_on = cancelled_on or day_of(now)
    groups: dict[tuple[int, date, bool], list[Line]] = {}
    for row in rows:
        if last_day is not None:
            on = last_day + DAY
        else:
            paid_through = row.ends_on or _notice_end(row, cancelled_on)
            on = first_day_without(cancelled_on, paid_through, churn_date(settings))
        _check(row, on)
        is_due = row.ends_on is not None and on > row.ends_on
        groups.setdefault((row.customer_id, on, is_due), []).append(row)
        told = {"last_day": [row.ends_on, on - DAY], "cause": [None, cause]}
        book.tell("line.terminate", row, told)
    for (_, on, is_due), ended in sorted(groups.items(), key=lambda item: item[0]):
        end(
            book,
            ended,
            on=on,
            answers_due=is_due,
            cause=cause,
            involuntary=involuntary,
            note=note,
        )
    _close_contracts(book, rows, note or cause)
    return book.close()


def _notice_end(line: Line, cancelled_on: date) -> date:
    """The last day that is still paid for after an open-ended line was cancelled."""
    return cancelled_on + timedelta(days=line.contract.notice_days or 0)


def _check(line: Line, on: date) -> None:
    is_late = line.ends_on is not None and on > line.ends_on + DAY
    if on < line.starts_on or is_late:
        end_day = line.ends_on.isoformat() if line.ends_on else "…"
        start = line.starts_on.isoformat()
        raise DayOutsideLine(day=(on - DAY).isoformat(), start=start, end=end_day)


def _close_contracts(book: Book, lines: Sequence[Line], why: str) -> None:
    """A contract of which nothing goes on has ended."""
    for contract in {line.contract_id: line.contract for line in lines}.values():
        mine = [ln for ln in book.of_customer[contract.customer_id] if _is_of(ln, contract)]
        if any(book.balance(line) + book.paused(line) > 0 for line in mine):
            continue
        days = [row.effective_on for line in mine for row in book.of_line(line)]
        contract.ended_on = max(days) - DAY
        contract.end_reason = why[:200]
        contract.save(update_fields=["ended_on", "end_reason"])


def _is_of(line: Line, contract: Contract) -> bool:
    return line.contract_id == contract.pk
