"""What was written down wrongly: corrected by further rows, never by changing the old ones.

What was known before the correction stays what was known before it.
"""

from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.kernel.days import day_of
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.contracts import fresh
from gengyun.revenue.actions.lines import NewLine, Posted, checked, write_line
from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import (
    LineAdjusted,
    LineAnswered,
    LineEnded,
    LinePausedSince,
    LineTakenOver,
    ReasonNeeded,
)
from gengyun.revenue.actions.settling import settle_book
from gengyun.revenue.models import Line, Movement, Payment
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

DAY = timedelta(days=1)


@transaction.atomic
def correct_line(
    *, actor: User | None, now: datetime, line: Line, new: NewLine, why: str
) -> Posted:
    """The line should have read otherwise. Its movements are taken back by corrections of the same
    days, and those of the right line are written, also as corrections; all are known from now on.

    A line that has a successor or has ended cannot be corrected before that is corrected.
    """
    if not why.strip():
        raise ReasonNeeded
    book, [old] = open_book(actor=actor, now=now, lines=[line])
    own = own_rows(book, old)
    contract = fresh(actor, old.contract)
    replaced = frozenset({old.pk, old.previous_id or 0})
    found = checked(book, contract, new, settings=current(), replaced=replaced)
    _void(book, old, now)
    written = write_line(book, contract, found, previous=old.previous, corrects=old, known_at=now)
    origin = own[0] if own else None
    for row in own:
        book.take_back(row, known_at=now, note=why[:500])
    if written.arr_minor:
        book.post(
            written, "correction", written.arr_minor, written.starts_on,
            corrects=origin, note=why[:500], known_at=now,
        )  # fmt: skip
    told = {"arr_minor": [old.arr_minor, written.arr_minor], "why": [None, why]}
    book.tell("line.correct", written, told)
    settle_book(book, as_of=day_of(now), settings=current())
    moved = book.close()
    return Posted(written, moved, found.flags)


@transaction.atomic
def void_line(*, actor: User | None, now: datetime, line: Line, why: str) -> list[Movement]:
    """The line should never have been written."""
    if not why.strip():
        raise ReasonNeeded
    book, [old] = open_book(actor=actor, now=now, lines=[line])
    answers = [row for row in book.of_line(old) if row.kind == "renew"]
    for row in [*own_rows(book, old), *answers]:
        book.take_back(row, known_at=now, note=why[:500])
    _void(book, old, now)
    if old.previous is not None:
        _reopen_previous(book, old, why)
    book.tell("line.void", old, {"why": [None, why]})
    settle_book(book, as_of=day_of(now), settings=current())
    return book.close()


@transaction.atomic
def adjust(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    arr_delta_minor: int,
    effective_on: date,
    why: str,
    seats_delta: int | None = None,
) -> list[Movement]:
    """A correction by an amount, from a day on."""
    if not why.strip():
        raise ReasonNeeded
    book, [row] = open_book(actor=actor, now=now, lines=[line])
    if book.balance(row, effective_on) + arr_delta_minor < 0:
        raise LineAnswered
    book.post(
        row, "correction", arr_delta_minor, effective_on, note=why[:500], seats_delta=seats_delta
    )
    told = {"arr_delta_minor": [None, arr_delta_minor], "why": [None, why]}
    book.tell("line.adjust", row, told)
    return book.close()


@transaction.atomic
def refund(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    amount_minor: int,
    received_on: date,
    why: str,
    arr_delta_minor: int = 0,
    number: str = "",
) -> tuple[Payment, list[Movement]]:
    """Money given back: a payment below zero and a correcting movement, which by default changes no
    ARR (the subscription goes on). `arr_delta_minor` (negative): the price is lower from then."""
    if not why.strip():
        raise ReasonNeeded
    book, [row] = open_book(actor=actor, now=now, lines=[line])
    if book.balance(row, received_on) + arr_delta_minor < 0:
        raise LineAnswered
    payment = Payment.objects.create(
        customer_id=row.customer_id,
        received_on=received_on,
        amount_minor=-abs(amount_minor),
        currency=row.currency,
        number=number,
        note=why[:500],
        known_at=now,
    )
    book.post(row, "correction", arr_delta_minor, received_on, note=why[:500])
    book.tell("line.refund", row, {"amount_minor": [None, -abs(amount_minor)], "why": [None, why]})
    return payment, book.close()


def own_rows(book: Book, line: Line) -> list[Movement]:
    """The movements that make the line what it is. Refused where something follows from it; what
    was taken back again, and what took it back, is as if it had never been."""
    rows = book.of_line(line)
    ids = {row.pk for row in rows}
    taken = {row.corrects_id for row in rows}
    found = [
        row
        for row in rows
        if row.pk not in taken and row.corrects_id not in ids and row.kind != "renew"
    ]
    for row in found:
        _refuse_follower(book, line, row)
    return [row for row in found if row.arr_minor]


def _refuse_follower(book: Book, line: Line, row: Movement) -> None:
    day = row.effective_on.isoformat()
    if row.kind == "transfer" and row.arr_minor < 0:
        after = [one for one in book.of_customer[line.customer_id] if one.previous_id == line.pk]
        at = [one for one in after if one.starts_on == row.effective_on] or after or [line]
        raise LineTakenOver(day=day, number=at[0].contract.number)
    if row.kind == "churn":
        raise LineEnded(day=(row.effective_on - DAY).isoformat())
    if row.kind in {"pause", "resume"}:
        raise LinePausedSince(day=day)
    if row.kind == "correction" and not _makes(row, line):
        raise LineAdjusted(day=day)


def _makes(row: Movement, line: Line) -> bool:
    """Is it the correction that wrote this line in the place of another?"""
    is_whole = (row.effective_on, row.arr_minor) == (line.starts_on, line.arr_minor)
    return line.corrects_id is not None and is_whole


def _reopen_previous(book: Book, line: Line, why: str) -> None:
    """What was carried over from earlier lines goes back to them, day for day."""
    for row in list(book.rows[line.customer_id]):
        is_out = row.kind == "transfer" and row.arr_minor < 0 and row.line_id == line.previous_id
        if is_out and row.effective_on == line.starts_on:
            book.take_back(row, known_at=book.now, note=why[:500])


def _void(book: Book, line: Line, now: datetime) -> None:
    line.voided_at = now
    line.save(update_fields=["voided_at"])
    book.drop(line)
