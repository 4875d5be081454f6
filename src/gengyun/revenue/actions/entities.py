"""Legal entities that merge or split on a day: lines go to another customer, whole or in part.

What the customers were before that day stays as it was; see `merging` for two rows that always
were one company.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import Checked, NewLine, write_line
from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import DayOutsideLine, LineAnswered, refuse
from gengyun.revenue.calc.movements import allocated
from gengyun.revenue.calc.normalise import Annualised
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.models import Contract, Line
from gengyun.team.models import User

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moved:
    contract: Contract  # with the other customer
    lines: list[Line]  # there
    remainders: list[Line]  # what stayed, of lines that went in part


@transaction.atomic
def move_lines(
    *,
    actor: User | None,
    now: datetime,
    lines: Sequence[Line],
    to: Customer,
    on: date,
    seats: Mapping[int, int] | None = None,
    number: str = "",
    note: str = "",
    known_at: datetime | None = None,
) -> Moved:
    """From `on` the lines are with the customer `to`, in a contract that follows the old one.

    `seats`: line id -> how many of its seats go; the ARR is shared by seats. The amounts as signed
    stay with the old lines, so that nothing counts twice in TCV.
    """
    target = mine(actor, to)
    book, rows = open_book(actor=actor, now=now, lines=lines, beside=[target], known_at=known_at)
    for row in rows:
        _check(book, row, on, target)
    first = rows[0].contract
    ends = [row.ends_on for row in rows]
    contract = create_contract(
        actor=actor,
        now=now,
        customer=target,
        starts_on=on,
        ends_on=None if None in ends else max(day for day in ends if day),
        number=number,
        name=first.name,
        kind=first.kind if None not in ends else "open",
        signed_on=first.signed_on,
        auto_renew=first.auto_renew,
        notice_days=first.notice_days,
        currency=first.currency,
        billing_interval_months=first.billing_interval_months,
        is_prepaid=first.is_prepaid,
        previous=first,
        note=note,
        known_at=known_at,
    )
    moved, kept = [], []
    for row in rows:
        went, stayed = _move(book, row, contract, on, (seats or {}).get(row.pk))
        moved.append(went)
        kept.extend(stayed)
        told = {"customer": [row.customer_id, target.pk], "on": [None, on], "note": [None, note]}
        book.tell("line.move", went, told)
    book.close()
    return Moved(contract, moved, kept)


def _check(book: Book, line: Line, on: date, target: Customer) -> None:
    is_late = line.ends_on is not None and on > line.ends_on
    if on < line.starts_on or is_late:
        end = line.ends_on.isoformat() if line.ends_on else "…"
        raise DayOutsideLine(day=on.isoformat(), start=line.starts_on.isoformat(), end=end)
    if line.customer_id == target.pk or (line.arr_minor and book.balance(line) <= 0):
        raise LineAnswered


def _move(
    book: Book, line: Line, contract: Contract, on: date, seats: int | None
) -> tuple[Line, list[Line]]:
    arr = book.balance(line)
    if seats is None or seats == line.seats:
        went = _carried_on(book, line, contract, on, arr_minor=arr, seats=line.seats)
        _transfer(book, line, went, arr, on)
        return went, []
    if line.seats is None or not 0 < seats < line.seats:
        refuse([Fault("seats_negative", {"seats": seats})])
    whole = line.seats or 0
    goes, stays = allocated(arr, [seats, whole - seats])
    went = _carried_on(book, line, contract, on, arr_minor=goes, seats=seats)
    rest = _carried_on(book, line, line.contract, on, arr_minor=stays, seats=whole - seats)
    _transfer(book, line, went, goes, on)
    _transfer(book, line, rest, stays, on)
    return went, [rest]


def _carried_on(
    book: Book, line: Line, contract: Contract, on: date, *, arr_minor: int, seats: int | None
) -> Line:
    new = NewLine(
        product=line.product,
        amount_minor=0,
        starts_on=on,
        ends_on=line.ends_on,
        edition=line.edition,
        group=line.group,
        kind=line.kind,
        seats=seats,
        currency=line.currency,
    )
    found = Checked(new, Annualised(arr_minor, "carried_on"), [])
    return write_line(book, contract, found, previous=line)


def _transfer(book: Book, line: Line, to: Line, arr_minor: int, on: date) -> None:
    if arr_minor:
        book.post(line, "transfer", -arr_minor, on, seats_delta=_negative(to.seats))
        book.post(to, "transfer", arr_minor, on, seats_delta=to.seats)


def _negative(seats: int | None) -> int | None:
    return None if seats is None else -seats
