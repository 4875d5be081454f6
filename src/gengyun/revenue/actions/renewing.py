"""Lines that go on: renewed (also many into one and one into many), upgraded, extended for free."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from gengyun.kernel.days import day_of
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.contracts import fresh
from gengyun.revenue.actions.lines import Checked, NewLine, Posted, checked, write_line
from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import (
    DayOutsideLine,
    LineAnswered,
    LineNotInForce,
    LineWithoutEnd,
    refuse,
)
from gengyun.revenue.actions.settling import settle_book
from gengyun.revenue.actions.succeeding import succeed
from gengyun.revenue.calc.normalise import Annualised
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.calc.terms import (
    coterm_amount,
    extended,
    next_term_end,
    rounded,
    upgrade_credit,
)
from gengyun.revenue.models import Contract, Line
from gengyun.revenue.models import RevenueSettings as Settings
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

DAY = timedelta(days=1)


@transaction.atomic
def renew(
    *,
    actor: User | None,
    now: datetime,
    lines: Sequence[Line],
    new: Sequence[NewLine],
    contract: Contract | None = None,
    signed_on: date | None = None,
    price_change: bool | None = None,
    cause: str = "",
    known_at: datetime | None = None,
) -> list[Posted]:
    """What follows lines that come due: early, in time or late, one or many into one or many.

    Lines of the same product follow each other; an old line that nothing follows is lost, a new one
    that follows nothing is an upsell or cross-sell. `contract`: where the new lines stand, by
    default that of the first old line, whose last day then moves. `signed_on` may be unknown.
    """
    book, olds = open_book(actor=actor, now=now, lines=lines, known_at=known_at)
    settings = current()
    home = fresh(actor, contract or olds[0].contract)
    _check_ends(olds)
    home = _grown(book, home, new) if contract is None else home
    written = [_written(book, home, one, olds, settings) for one in new]
    first = len(book.posted)
    succeed(
        book,
        old=olds,
        new=[line for line, _ in written],
        signed_on=signed_on or (home.signed_on if contract is not None else None),
        known_at=book.known_at,
        grace=timedelta(days=settings.loss_grace_days),
        is_price=price_change,
        cause=cause,
    )
    settle_book(book, as_of=day_of(now), settings=settings)
    told = {"renews": [None, ", ".join(str(line.pk) for line in olds)]}
    for line, _ in written:
        book.tell("line.renew", line, told | {"arr_minor": [None, line.arr_minor]})
    moved = book.posted[first:]
    book.close()
    return [
        Posted(line, [row for row in moved if row.line_id == line.pk], flags)
        for line, flags in written
    ]


def same_again(line: Line, *, arr_ratio: Decimal = Decimal(1)) -> NewLine:
    """The next term of a line as it is: same length, seats and price (times `arr_ratio`)."""
    if line.ends_on is None:
        raise LineWithoutEnd
    paid_until = line.ends_on - timedelta(days=line.gift_days)
    ends_on = next_term_end(line.starts_on, paid_until) + timedelta(days=line.gift_days)
    starts_on = line.ends_on + DAY
    return NewLine(
        product=line.product,
        amount_minor=rounded(line.amount_minor * arr_ratio),
        starts_on=starts_on,
        ends_on=ends_on,
        edition=line.edition,
        group=line.group,
        kind=line.kind,
        seats=line.seats,
        tax_included=line.tax_included,
        tax_rate_bp=line.tax_rate_bp,
        currency=line.currency,
        paid_months=line.paid_months,
        committed_minor=line.committed_minor,
        maintenance_base_minor=line.maintenance_base_minor,
        # a whole term costs what it cost; where days decide, the yearly price goes on
        arr_minor=rounded(line.arr_minor * arr_ratio),
    )


@transaction.atomic
def upgrade(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    new: NewLine,
    price_change: bool | None = None,
    signed_on: date | None = None,
    known_at: datetime | None = None,
) -> Posted:
    """Another line takes the place of this one before its end: more or fewer seats, another edition
    or price. With the same last day it is co-termed; with a later one the term begins anew."""
    book, [old] = open_book(actor=actor, now=now, lines=[line], known_at=known_at)
    settings = current()
    _inside(old, new.starts_on)
    if book.balance(old) + book.paused(old) <= 0:
        raise LineAnswered
    if not book.balance(old, new.starts_on) and not book.paused(old):
        raise LineNotInForce(day=new.starts_on.isoformat())
    home = _grown(book, fresh(actor, old.contract), [new])
    written, flags = _written(book, home, new, [old], settings, is_renewal=False)
    first = len(book.posted)
    succeed(
        book,
        old=[old],
        new=[written],
        signed_on=signed_on,
        known_at=book.known_at,
        grace=timedelta(days=settings.loss_grace_days),
        is_price=price_change,
        is_renewal=False,
    )
    moved = book.posted[first:]
    told = {"replaces": [None, old.pk], "arr_minor": [old.arr_minor, written.arr_minor]}
    book.tell("line.upgrade", written, told)
    book.close()
    return Posted(written, moved, flags)


def coterm(line: Line, *, on: date, yearly_minor: int, seats: int | None = None) -> NewLine:
    """A line that takes the place of `line` from `on` to its last day at a yearly price."""
    if line.ends_on is None:
        raise LineWithoutEnd
    amount = rounded(coterm_amount(Decimal(yearly_minor), on, line.ends_on))
    return NewLine(
        product=line.product,
        amount_minor=amount,
        yearly_minor=yearly_minor,
        starts_on=on,
        ends_on=line.ends_on,
        edition=line.edition,
        group=line.group,
        kind=line.kind,
        seats=line.seats if seats is None else seats,
        tax_included=line.tax_included,
        tax_rate_bp=line.tax_rate_bp,
        currency=line.currency,
        gift_days=0,
    )


def credit_of(line: Line, on: date) -> int:
    """What of the line's price is left on a day, by days: to be taken off an upgrade's price."""
    if line.ends_on is None:
        raise LineWithoutEnd
    whole = (line.ends_on - line.starts_on).days + 1
    used = (on - line.starts_on).days
    return rounded(upgrade_credit(Decimal(line.amount_minor), used, year_days=whole))


@transaction.atomic
def extend(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    months: int = 0,
    days: int = 0,
    note: str = "",
    known_at: datetime | None = None,
) -> Line:
    """Free extension: the last day moves, the ARR stays as it is, nothing is paid."""
    book, [old] = open_book(actor=actor, now=now, lines=[line], known_at=known_at)
    if old.ends_on is None:
        raise LineWithoutEnd
    if months < 0 or days < 0 or months + days == 0:
        refuse([Fault("months_not_positive")])
    arr = book.balance(old) + book.paused(old)
    if arr <= 0 and old.arr_minor:
        raise LineAnswered
    ends_on = extended(old.ends_on, months=months, days=days)
    new = NewLine(
        product=old.product,
        amount_minor=0,
        starts_on=old.ends_on + DAY,
        ends_on=ends_on,
        edition=old.edition,
        group=old.group,
        kind=old.kind,
        seats=old.seats,
        currency=old.currency,
        gift_days=(ends_on - old.ends_on).days,
        is_trial=old.is_trial,
        note=note,
    )
    home = _grown(book, fresh(actor, old.contract), [new])
    counted = Annualised(max(arr, 0), "carried_on")
    written = write_line(book, home, Checked(new, counted, []), previous=old)
    if arr > 0:
        if paused := book.paused(old):  # a pause goes on in the extension
            book.post(old, "resume", paused, new.starts_on)
            book.post(written, "pause", -paused, new.starts_on)
        book.post(old, "transfer", -arr, new.starts_on)
        book.post(written, "transfer", arr, new.starts_on)
    told = {"ends_on": [old.ends_on, ends_on], "note": [None, note]}
    book.tell("line.extend", written, told)
    book.close()
    return written


def _written(
    book: Book,
    home: Contract,
    one: NewLine,
    olds: Sequence[Line],
    settings: Settings,
    *,
    is_renewal: bool = True,
) -> tuple[Line, list[Fault]]:
    product = one.product.pk
    previous = next((line for line in olds if line.product_id == product), olds[0])
    found = checked(
        book,
        home,
        one,
        settings=settings,
        previous=previous if is_renewal else None,
        replaced=frozenset(line.pk for line in olds),
    )
    return write_line(book, home, found, previous=previous), found.flags


def _grown(book: Book, contract: Contract, new: Sequence[NewLine]) -> Contract:
    """A line that lasts longer than its contract moves the contract's last day."""
    last = max((line.ends_on for line in new if line.ends_on), default=None)
    if contract.ended_on is not None:  # it goes on after all
        contract.ended_on, contract.end_reason = None, ""
        contract.save(update_fields=["ended_on", "end_reason"])
    if contract.ends_on is None or last is None or last <= contract.ends_on:
        return contract
    book.tell("contract.extend", contract, {"ends_on": [contract.ends_on, last]})
    contract.ends_on = last
    contract.save(update_fields=["ends_on"])
    return contract


def _check_ends(lines: Sequence[Line]) -> None:
    if any(line.ends_on is None for line in lines):
        raise LineWithoutEnd


def _inside(line: Line, on: date) -> None:
    is_late = line.ends_on is not None and on > line.ends_on
    if on < line.starts_on or is_late:
        end = line.ends_on.isoformat() if line.ends_on else "…"
        start = line.starts_on.isoformat()
        raise DayOutsideLine(day=on.isoformat(), start=start, end=end)
