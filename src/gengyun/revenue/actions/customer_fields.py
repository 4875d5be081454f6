"""A customer's own fields follow its contracts: ARR, seats, renewal day, since when.

Tiers, lists, metrics and health read these fields; their history is kept by `customers`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.customers.actions.history import Change, write_changes
from gengyun.customers.models import Customer
from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.calc.movements import by_line, total
from gengyun.revenue.models import Line, LineKind, Movement
from gengyun.revenue.queries.rates import rates_to
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

FIELDS = ("arr_minor", "currency", "seats", "renews_on", "started_on")
DAY = timedelta(days=1)


def follow(
    customers: Iterable[Customer],
    *,
    rows: Mapping[int, Sequence[Movement]],
    lines: Mapping[int, Sequence[Line]],
    today: date,
    actor: User | None,
    now: datetime,
) -> int:
    """Write the fields of customers with contracts, where they differ. Returns how many changed."""
    rates: Rates | None = None
    changes = []
    for customer in customers:
        mine = lines.get(customer.pk, ())
        if not mine and not rows.get(customer.pk):
            continue
        arr = {
            code: minor for code, minor in total(rows.get(customer.pk, ()), today).items() if minor
        }
        if len(arr) > 1 and rates is None:
            rates = rates_to(current().base_currency, known_by=now)
        values = values_of(mine, rows.get(customer.pk, ()), today)
        values |= _amount(arr, mine, customer, rates, today)
        changes.append(Change(customer, values))
    return len(write_changes(changes, actor=actor, now=now, action="customer.follow_contracts"))


def _amount(
    arr: Mapping[str, int],
    lines: Sequence[Line],
    customer: Customer,
    rates: Rates | None,
    today: date,
) -> dict[str, Any]:
    """In the currency of the contracts; several are added up in the base currency, if it is known
    what they are worth."""
    if not arr:
        return {"arr_minor": 0}
    if len(arr) == 1:
        [(code, minor)] = arr.items()
        return {"arr_minor": minor, "currency": code}
    if rates is None:  # the caller loads them for several currencies
        raise AssertionError
    values = [rates.converted(minor, code, today) for code, minor in arr.items()]
    known = [value for value in values if value is not None]
    whole = sum(known) if len(known) == len(values) else None
    return {"arr_minor": whole, "currency": rates.base}


def values_of(lines: Sequence[Line], rows: Sequence[Movement], today: date) -> dict[str, Any]:
    """Seats of the lines in force (unknown if none says), the next day something ends, the first
    day of the first line."""
    in_force = by_line(rows, today)
    running = [line for line in lines if line.pk in in_force or _is_used(line, today)]
    seats = [line.seats for line in running if line.seats is not None]
    first = min((line.starts_on for line in lines if not line.is_trial), default=None)
    return {
        "seats": (sum(seats) if seats else None) if running else 0,
        "renews_on": _next_end(lines, rows, today),
        "started_on": first,
    }


def _is_used(line: Line, today: date) -> bool:
    """A bought-out licence has no ARR but has seats."""
    over = line.ends_on is not None and line.ends_on < today
    return line.kind == LineKind.LICENCE and line.starts_on <= today and not over


def _next_end(lines: Sequence[Line], rows: Sequence[Movement], today: date) -> date | None:
    """The earliest end that nothing has answered yet; else the earliest of what is in force."""
    last = by_line(rows, date.max)
    open_ends = [line.ends_on for line in lines if line.pk in last and line.ends_on is not None]
    if open_ends:
        return min(open_ends)
    in_force = by_line(rows, today)
    ends = [line.ends_on for line in lines if line.pk in in_force and line.ends_on is not None]
    return min(ends, default=None)
