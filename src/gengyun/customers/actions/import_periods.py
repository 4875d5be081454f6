"""Import of subscription periods: they say since when a customer is with us without a break.

What comes of them is the dated history of the customer's start date, nothing else: each start is
known on the eve of its day, each end likewise. A later file adds what it changes; the start that
was known on a past day stays what was known, unless the file speaks of that very day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    ERROR,
    Context,
    Parser,
    Planned,
    plain,
    register,
)
from gengyun.customers.actions.import_lookup import Book, customers_by_id
from gengyun.customers.actions.known import known_since
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import PERIOD_COLUMNS, Column
from gengyun.customers.calc.tenure import Period, customer_since
from gengyun.customers.models import FieldChange
from gengyun.kernel.days import day_of, start_of
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many

FIELD = "started_on"
BATCH = 1_000
EVE = timedelta(microseconds=1)  # before the day begins: as of that day it is known
PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "starts_on": plain(cells.day),
    "ends_on": plain(cells.day),
}


class PeriodImport:
    name = "periods"
    columns: tuple[Column, ...] = PERIOD_COLUMNS
    parsers = PARSERS
    needed: tuple[frozenset[str], ...] = (frozenset({"customer"}), frozenset({"starts_on"}))

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book = Book.load(context.actor)
        rows: dict[int, list[Planned]] = defaultdict(list)
        for row in planned:
            pk = _check(row, book)
            if pk is not None and row.outcome != ERROR:
                rows[pk].append(row)
        known = _histories(rows)
        for pk, mine in rows.items():
            periods: list[Period] = [
                (row.values["starts_on"], row.values.get("ends_on")) for row in mine
            ]
            _plan_customer(pk, mine[0], periods, known.get(pk, {}), day_of(context.now))

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        rows = {row.target or 0: row for row in planned}
        customers = customers_by_id(rows)
        FieldChange.objects.bulk_create(
            [
                FieldChange(customer_id=pk, field=FIELD, value=value, known_at=known_at)
                for pk, row in rows.items()
                for known_at, value in row.values["history"]
            ],
            batch_size=BATCH,
        )
        known_since({pk: row.values["history"][0][0] for pk, row in rows.items()})
        newest = _histories(rows)
        told = []
        for pk, customer in customers.items():
            customer.refresh_from_db(fields=["known_at"])
            history = newest[pk]
            value = history[max(history)]
            customer.started_on = None if value is None else date.fromisoformat(value)
            customer.updated_at = context.now
            customer.save(update_fields=[FIELD, "updated_at"])
            told.append((customer, rows[pk].told))
        record_many(actor=context.actor, now=context.now, action="customer.import", changes=told)
        if customers:
            emit("customer.changed", {"customer_ids": sorted(customers)}, now=context.now)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check(row: Planned, book: Book) -> int | None:
    if "customer" not in row.values:
        row.refuse("customer_missing")
        return None
    row.label = row.values["customer"]
    start, end = row.values.get("starts_on"), row.values.get("ends_on")
    if start is None:
        row.refuse("start_missing")
    elif end is not None and end <= start:
        row.refuse("ends_before_start", "ends_on")
    return book.find(row, "customer")


def _plan_customer(
    pk: int, row: Planned, periods: list[Period], known: dict[datetime, Any], today: date
) -> None:
    """The first row of a customer carries what the file changes; what is yet to come waits."""
    history = [
        (start_of(day) - EVE, None if since is None else since.isoformat())
        for day, since in customer_since(periods)
        if day <= today
    ]
    missing = [(at, value) for at, value in history if known.get(at, at) != value]
    if missing:
        row.target, row.outcome = pk, CHANGED
        row.values["history"] = missing
        before = known[max(known)] if known else None
        row.told = {FIELD: [before, history[-1][1]]}


def _histories(pks: Mapping[int, Any]) -> dict[int, dict[datetime, Any]]:
    """customer -> known_at -> the start date known from then on."""
    found: dict[int, dict[datetime, Any]] = defaultdict(dict)
    ids = sorted(pks)
    for at in range(0, len(ids), 5_000):
        rows = FieldChange.objects.filter(field=FIELD, customer_id__in=ids[at : at + 5_000])
        for pk, known_at, value in rows.order_by("known_at", "pk").values_list(
            "customer_id", "known_at", "value"
        ):
            found[pk][known_at] = value
    return found


register(PeriodImport())
