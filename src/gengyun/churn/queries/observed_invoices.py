"""Overdue and disputed invoices, as they stood on each day by what was known then.

The rules are those of `revenue.calc.receivables`: a payment that names its invoice pays that one,
the rest the oldest due first, by currency; a refund makes nothing owed again.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any

from gengyun.churn.queries.observed_past import Fact, as_day, changes_of, standing
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.models import Invoice, InvoiceStatus, Payment

FIELDS = ("status", "disputed_since", "due_on", "amount_minor", "currency")
POOL = 0  # in place of an invoice: money that names none
# day, invoice, what is set (none: money came), currency, amount
Event = tuple[date, int, "_Bill | None", str, int]
Holding = tuple[int, str, date]  # invoice, kind, happened


@dataclass(frozen=True)
class _Bill:
    """An invoice on a day."""

    is_open: bool
    disputed_since: date | None
    due_on: date | None
    amount_minor: int
    currency: str

    @classmethod
    def of(cls, values: Any) -> "_Bill":
        return cls(
            values["status"] == InvoiceStatus.OPEN and values["amount_minor"] > 0,
            as_day(values["disputed_since"]),
            as_day(values["due_on"]),
            values["amount_minor"],
            values["currency"],
        )


def invoices(until: date) -> Iterator[Fact]:
    """An invoice from its due day, while it stood, was not argued about, and was not known to be
    paid; a dispute while it was noted."""
    money = _payments(until)
    log = changes_of(Invoice, set(FIELDS))
    rows = Invoice.objects.filter(known_at__lt=start_of(until)).order_by("customer_id", "pk")
    found = rows.values_list("customer_id", "pk", "known_at", *FIELDS)
    for customer_id, mine in groupby(found.iterator(), key=itemgetter(0)):
        together: list[Event] = list(money.get((customer_id, POOL), ()))
        has_pool = bool(together)
        for _customer, pk, known_at, *values in mine:
            spans = standing(
                dict(zip(FIELDS, values, strict=True)), log.get(pk, []), day_of(known_at)
            )
            events = [*_events(pk, spans), *money.get((customer_id, pk), ())]
            if has_pool:
                together += events
            else:  # nothing of one says anything of another
                yield from _facts(customer_id, events)
        if has_pool:
            yield from _facts(customer_id, together)


def _payments(until: date) -> dict[tuple[int, int], list[Event]]:
    """(customer, invoice or POOL) -> money as it became known."""
    found: dict[tuple[int, int], list[Event]] = defaultdict(list)
    rows = Payment.objects.filter(known_at__lt=start_of(until), amount_minor__gt=0)
    for customer_id, invoice_id, currency, amount, at in rows.order_by(
        "known_at", "pk"
    ).values_list("customer_id", "invoice_id", "currency", "amount_minor", "known_at"):
        pk = invoice_id or POOL
        found[customer_id, pk].append((day_of(at), pk, None, currency, amount))
    return found


def _events(pk: int, spans: Iterable[Any]) -> Iterator[Event]:
    for known, over, values in spans:
        bill = _Bill.of(values)
        yield known, pk, bill, "", 0
        begins = bill.disputed_since
        if begins is not None and begins > known and (over is None or begins < over):
            yield begins, pk, bill, "", 0  # said in advance: argued about from that day


def _facts(customer_id: int, events: list[Event]) -> list[Fact]:
    """Of invoices that money may be shared by: all that changed on a day, then what holds."""
    bills: dict[int, _Bill] = {}
    paid: dict[tuple[int, str], int] = defaultdict(int)
    held: dict[Holding, date] = {}  # since
    found: list[tuple[date, Holding, date | None]] = []
    for day, part in groupby(sorted(events, key=itemgetter(0)), key=itemgetter(0)):
        for _day, pk, bill, currency, amount in part:
            if bill is None:
                paid[pk, currency] += amount
            else:
                bills[pk] = bill
        holds = _holds(day, bills, paid)
        found += [(held.pop(key), key, day) for key in held.keys() - holds]
        held |= dict.fromkeys(holds - held.keys(), day)
    found += [(known, key, None) for key, known in held.items()]
    found.sort(key=itemgetter(0, 1))  # later events change nothing of the order
    return [
        Fact(customer_id, kind, happened, known, over)
        for known, (_pk, kind, happened), over in found
    ]


def _holds(day: date, bills: dict[int, _Bill], paid: dict[tuple[int, str], int]) -> set[Holding]:
    found: set[Holding] = set()
    owed: dict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for pk, bill in bills.items():
        if not bill.is_open:
            continue
        if bill.disputed_since is not None and bill.disputed_since <= day:
            found.add((pk, "dispute", bill.disputed_since))
        elif bill.due_on is not None:
            left = bill.amount_minor - paid.get((pk, bill.currency), 0)
            if left > 0:
                owed[bill.currency].append((bill.due_on, pk, left))
    for currency, rows in owed.items():
        rows.sort()
        sums = list(accumulate(left for _due, _pk, left in rows))
        # money that names no invoice pays the first ones whole; what it pays in part stays owed
        pool = paid.get((POOL, currency), 0)
        found.update((pk, "invoice", due) for due, pk, _left in rows[bisect_left(sums, pool + 1) :])
    return found
