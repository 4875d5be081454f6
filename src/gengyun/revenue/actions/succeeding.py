"""Lines that follow lines: renewals, upgrades, extensions. What passes over is carried by pairs of
transfers; what changes is a movement of its own; what was due is said on the renewal row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.refusals import LineAnswered, RateMissing
from gengyun.revenue.calc.movements import (
    Sold,
    allocated,
    change,
    kind_of_added,
    kind_of_ended,
    succession,
)
from gengyun.revenue.models import Line
from gengyun.revenue.queries.rates import rates_to

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """When it was signed, and from when on we know of it."""

    signed_on: date | None
    known_at: datetime


def succeed(
    book: Book,
    *,
    old: Sequence[Line],
    new: Sequence[Line],
    signed_on: date | None,
    known_at: datetime,
    grace: timedelta,
    is_price: bool | None = None,
    is_renewal: bool = True,
    cause: str = "",
) -> None:
    """Movements of lines `new` that take the place of `old` (one or many of each).

    Old lines that have nothing left (they ran out or were lost long ago) are not renewed: what
    follows is then won back, and says which due date it answers.
    """
    on = min(line.starts_on for line in new)
    told = Told(signed_on, known_at)
    alive = [line for line in old if _reopened(book, line, on, grace, known_at)]
    if not alive:
        due_on = max((line.ends_on for line in old if line.ends_on), default=None)
        for line in new:
            post_added(book, line, told, due_on=due_on if is_renewal else None)
        return
    found = succession(_gathered(book, alive, on), _gathered_new(new))
    old_of, new_of = _by_product(alive), _by_product(new)
    for before, after in found.pairs:
        olds, news = old_of[before.product], new_of[after.product]
        _carry(book, olds, news, told, on=on, is_renewal=is_renewal, is_price=is_price)
    for lapsed in found.lapsed:
        lines = old_of[lapsed.product]
        end(book, lines, on=on, answers_due=is_renewal, cause=cause, known_at=known_at)
    for added in found.added:
        for line in new_of[added.product]:
            post_added(book, line, told)


def _reopened(book: Book, line: Line, on: date, grace: timedelta, known_at: datetime) -> bool:
    """Is there ARR to carry over? A loss that was written down too early is taken back first."""
    if line.ends_on is not None and book.balance(line) <= 0 and on <= line.ends_on + grace + DAY:
        for row in book.of_line(line):
            is_last = row.effective_on == line.ends_on + DAY
            if row.kind in ("churn", "downsell") and row.due_on == line.ends_on and is_last:
                book.take_back(row, known_at=known_at)
    if book.balance(line) <= 0 and book.balance(line, on - DAY) > 0:
        raise LineAnswered  # something else has taken its place already
    if (paused := book.paused(line)) and book.balance(line) + paused > 0:
        book.post(line, "resume", paused, on, known_at=known_at)
    return book.balance(line) > 0


def _by_product(lines: Sequence[Line]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for line in lines:
        found.setdefault(line.product_id, []).append(line)
    return found


def _gathered(book: Book, lines: Sequence[Line], on: date) -> list[Sold]:
    return [
        _sold(group, sum(book.balance(line) for line in group))
        for group in _by_product(lines).values()
    ]


def _gathered_new(lines: Sequence[Line]) -> list[Sold]:
    return [
        _sold(group, sum(line.arr_minor for line in group)) for group in _by_product(lines).values()
    ]


def _sold(lines: Sequence[Line], arr_minor: int) -> Sold:
    seats = [line.seats for line in lines if line.seats is not None]
    editions = {line.edition_id for line in lines}
    return Sold(
        key=lines[0].pk,
        arr_minor=arr_minor,
        currency=lines[0].currency,
        product=lines[0].product_id,
        seats=sum(seats) if len(seats) == len(lines) else None,
        edition=editions.pop() if len(editions) == 1 else None,
    )


def _carry(
    book: Book,
    olds: Sequence[Line],
    news: Sequence[Line],
    told: Told,
    *,
    on: date,
    is_renewal: bool,
    is_price: bool | None,
) -> None:
    """Transfers, the renewal row of each old line, and what changed."""
    common = asdict(told)
    due = [(line, book.balance(line)) for line in olds]
    due_on = max((line.ends_on for line in olds if line.ends_on), default=None)
    answered = due_on if is_renewal else None
    for line, balance in due:
        book.post(line, "transfer", -balance, on, **common)
        if is_renewal:
            book.post(
                news[0], "renew", 0, on,
                due_on=line.ends_on, due_minor=balance, currency=line.currency, **common,
            )  # fmt: skip
    passed = sum(balance for _, balance in due)
    before = _sold(olds, passed)
    if news[0].currency != olds[0].currency:
        passed = _exchanged(passed, olds[0].currency, news[0].currency, on)
    shares = allocated(passed, [line.arr_minor for line in news])
    for line, share in zip(news, shares, strict=True):
        if share:
            book.post(line, "transfer", share, on, **common)
        base = Sold(
            before.key, share, line.currency, before.product,
            before.seats if len(news) == 1 else None, before.edition,
        )  # fmt: skip
        for step in change(base, _sold([line], line.arr_minor), is_price=is_price):
            book.post(
                line, step.kind, step.arr_minor, on,
                seats_delta=step.seats_delta, due_on=answered, **common,
            )  # fmt: skip


def _exchanged(minor: int, currency: str, to: str, on: date) -> int:
    found = rates_to(to).converted(minor, currency, on)
    if found is None:
        raise RateMissing(currency=currency, base=to, day=on.isoformat())
    return found


def post_added(book: Book, line: Line, told: Told, *, due_on: date | None = None) -> None:
    """The movement of a line that follows nothing; none where it has no ARR."""
    if not line.arr_minor:
        return
    kind = kind_of_added(book.rows[line.customer_id], line.group, line.starts_on)
    book.post(
        line,
        kind,
        line.arr_minor,
        line.starts_on,
        seats_delta=line.seats,
        due_on=due_on,
        **asdict(told),
    )


def end(
    book: Book,
    lines: Sequence[Line],
    *,
    on: date,
    answers_due: bool,
    cause: str = "",
    involuntary: bool = False,
    note: str = "",
    known_at: datetime | None = None,
) -> None:
    """Lines of one customer that end together: `on` is the first day without them."""
    known_at = known_at or book.known_at
    for line in lines:
        if paused := book.paused(line):
            book.post(line, "resume", paused, on, known_at=known_at)
    ended = {line.pk: book.balance(line) for line in lines}
    entries = book.rows[lines[0].customer_id]
    kind = kind_of_ended(entries, ended, on)
    for line in lines:
        balance = ended[line.pk]
        if not balance:
            continue
        book.post(
            line, kind, -balance, on,
            seats_delta=None if line.seats is None else -line.seats,
            due_on=line.ends_on if answers_due else None,
            due_minor=balance if answers_due else None,
            cause=cause, involuntary=involuntary, note=note, known_at=known_at,
        )  # fmt: skip
