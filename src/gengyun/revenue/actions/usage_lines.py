"""Usage-based lines: their ARR follows the usage of the last months, if the company counts it."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from gengyun.revenue.actions.open_book import open_book
from gengyun.revenue.actions.refusals import LineAnswered, LineNotInForce
from gengyun.revenue.calc.normalise import Terms, annualise
from gengyun.revenue.models import Line, LineKind, Movement
from gengyun.revenue.queries.settings import arr_policy
from gengyun.team.models import User


@transaction.atomic
def measure_usage(
    *,
    actor: User | None,
    now: datetime,
    line: Line,
    usage_minor: Sequence[int],
    on: date,
    note: str = "",
    known_at: datetime | None = None,
) -> list[Movement]:
    """`usage_minor`: amounts of the last months, oldest first, without tax and commitment. Under
    the policy `committed` or `excluded` nothing moves."""
    book, [row] = open_book(actor=actor, now=now, lines=[line], known_at=known_at)
    if row.kind != LineKind.USAGE or on < row.starts_on:
        raise LineNotInForce(day=on.isoformat())
    held = book.balance(row, on)
    if row.arr_minor and not held:
        raise LineAnswered
    terms = Terms(
        kind=row.kind,
        amount_minor=row.amount_minor,
        committed_minor=row.committed_minor,
        usage_minor=tuple(usage_minor),
    )
    counted = annualise(terms, arr_policy())
    delta = counted.arr_minor - held
    if delta:
        book.post(row, "upsell" if delta > 0 else "downsell", delta, on, note=note)
        book.tell("line.usage", row, {"arr_minor": [held, counted.arr_minor], "on": [None, on]})
    return book.close()
