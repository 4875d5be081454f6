"""A ledger for the bench of revenue: rows as the actions of the ledger leave them, put in by plain
SQL. A test holds the shape against what the actions write."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gengyun.cli.benches.bulk import analyze, insert, without_indexes

LAST = date(2025, 12, 31)  # five calendar years of ledger
YEARS = 5
CUSTOMERS, LINES = 100_000, 1_000_000
CHUNK = 2_000  # customers whose rows are held in memory
DAY = timedelta(days=1)
# what a year does to a line: lost, shrunk, the same, grown
OUTCOMES: tuple[float | None, ...] = (None, -0.2, 0.0, 0.15)
CHANCES = (0.06, 0.06, 0.58, 0.30)
CURRENCIES = (("CNY", 0.95), ("USD", 0.05))


@dataclass
class Rows:
    lines: list[dict[str, Any]] = field(default_factory=list)
    movements: list[dict[str, Any]] = field(default_factory=list)
    renewals: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Numbers:
    """Keys given out so far."""

    contract: int = 0
    line: int = 0


def build(customers: int = CUSTOMERS, lines: int = LINES) -> dict[str, int]:
    """Fill the (migrated, empty) database."""
    from gengyun.customers.models import Customer
    from gengyun.revenue.models import (
        Contract,
        ExchangeRate,
        Line,
        Movement,
        Product,
        Renewal,
    )

    chance = random.Random(11)  # noqa: S311 - made-up data
    now = datetime(2026, 1, 1, tzinfo=UTC)
    products = [
        Product.objects.create(key=f"p{n}", name_zh=f"产品{n}", name_en=f"p{n}", family=f"p{n}")
        for n in range(8)
    ]
    for year in range(LAST.year - YEARS, LAST.year + 1):
        for month in range(1, 13):
            on = date(year, month, 1)
            rate = round(7 + chance.random() / 3, 4)
            ExchangeRate.objects.create(currency="USD", base="CNY", on=on, rate=rate, known_at=now)
    numbers = Numbers()
    with without_indexes(Customer, Contract, Line, Movement, Renewal):
        for start in range(0, customers, CHUNK):
            part = range(start + 1, min(start + CHUNK, customers) + 1)
            # as many lives as it still takes to reach the number of lines
            wanted = (lines - numbers.line) / max(1, customers - start)
            _put(part, wanted, chance=chance, numbers=numbers, products=products, now=now)
    analyze()
    return {"lines": numbers.line, "movements": Movement.objects.count()}


def _put(
    part: range,
    wanted: float,
    *,
    chance: random.Random,
    numbers: Numbers,
    products: list[Any],
    now: datetime,
) -> None:
    from gengyun.customers.models import Customer
    from gengyun.revenue.models import Contract, Line, Movement, Renewal

    rows, contracts = Rows(), []
    for customer in part:
        numbers.contract += 1
        began = LAST.replace(year=LAST.year - YEARS) + DAY * chance.randrange(1, 900)
        currency = "CNY" if chance.random() < CURRENCIES[0][1] else "USD"
        contracts.append(
            {
                "id": numbers.contract,
                "customer_id": customer,
                "number": f"B-{customer}",
                "kind": "fixed",
                "starts_on": began,
                "currency": currency,
                "is_prepaid": True,
                "auto_renew": False,
                "known_at": _instant(began),
                "created_at": now,
            }
        )
        held, before = chance.sample(products, len(products)), numbers.line
        target = wanted * chance.uniform(0.5, 1.5)
        for product in held:
            if numbers.line - before >= target:
                break
            first = numbers.line == before
            starts = began if first else began + DAY * chance.randrange(0, 500)
            sold = _Life(
                customer, numbers.contract, product.pk, product.family, currency, starts, now
            )
            sold.live(rows, numbers, chance, is_first=first)
    insert(
        Customer,
        [
            {
                "id": pk,
                "external_id": f"c{pk}",
                "name": f"客户{pk}",
                "name_key": f"客户{pk}",
                "known_at": now,
                "created_at": now,
                "updated_at": now,
            }
            for pk in part
        ],
    )
    insert(Contract, contracts)
    insert(Line, rows.lines)
    insert(Movement, rows.movements)
    insert(Renewal, rows.renewals)


@dataclass
class _Life:
    """A product of a customer, from the first line to the last."""

    customer: int
    contract: int
    product: int
    group: str
    currency: str
    starts: date
    now: datetime

    def live(self, rows: Rows, numbers: Numbers, chance: random.Random, *, is_first: bool) -> None:
        arr = round(10 ** chance.uniform(5.5, 7.5))
        kind, before, steps = "new" if is_first else "cross_sell", None, 0
        starts = self.starts
        while True:
            numbers.line += 1
            line = numbers.line
            ends = _year_after(starts) - DAY
            rows.lines.append(self._line(line, before, starts, ends, arr))
            if before is None:
                rows.movements.append(self._row(kind, line, starts, arr, starts))
            elif steps:
                name = "upsell" if steps > 0 else "downsell"
                due = {"due_on": starts - DAY}
                rows.movements.append(self._row(name, line, starts, steps, starts, **due))
            if ends > LAST:
                rows.renewals.append(self._renewal(ends, arr))
                return
            turn = chance.choices(OUTCOMES, CHANCES)[0]
            due = {"due_on": ends, "due_minor": arr}
            after = ends + DAY
            if turn is None:
                rows.movements.append(
                    self._row("churn", line, after, -arr, after + 30 * DAY, **due)
                )
                return
            signed = ends + DAY * chance.randrange(-40, 20)
            for name, on_line, amount, more in (
                ("transfer", line, -arr, {}),
                ("renew", line + 1, 0, due),
                ("transfer", line + 1, arr, {}),
            ):
                rows.movements.append(
                    self._row(name, on_line, after, amount, signed, signed_on=signed, **more)
                )
            steps = round(arr * turn)
            arr, before, starts = arr + steps, line, after

    def _line(
        self, pk: int, before: int | None, starts: date, ends: date, arr: int
    ) -> dict[str, Any]:
        return {
            "id": pk,
            "contract_id": self.contract,
            "customer_id": self.customer,
            "product_id": self.product,
            "group": self.group,
            "kind": "subscription",
            "amount_minor": arr,
            "currency": self.currency,
            "starts_on": starts,
            "ends_on": ends,
            "rule": "by_paid_term",
            "arr_minor": arr,
            "previous_id": before,
            "known_at": _instant(starts),
            "created_at": self.now,
        }

    def _row(
        self, kind: str, line: int, on: date, arr: int, known: date, **more: Any
    ) -> dict[str, Any]:
        return {
            "customer_id": self.customer,
            "contract_id": self.contract,
            "line_id": line,
            "product_id": self.product,
            "group": self.group,
            "kind": kind,
            "effective_on": on,
            "arr_minor": arr,
            "currency": self.currency,
            "due_on": None,
            "due_minor": None,
            "signed_on": None,
            "known_at": _instant(min(known, LAST)),
            "created_at": self.now,
        } | more

    def _renewal(self, ends: date, arr: int) -> dict[str, Any]:
        return {
            "customer_id": self.customer,
            "group": self.group,
            "product_id": self.product,
            "due_on": ends,
            "due_minor": arr,
            "currency": self.currency,
            "state": "open",
            "category": "unjudged",
            "created_at": self.now,
        }


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


def _year_after(day: date) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if is_leap_day else day.day)


def months() -> Iterator[date]:
    """First days of the sixty months."""
    for year in range(LAST.year - YEARS + 1, LAST.year + 1):
        for month in range(1, 13):
            yield date(year, month, 1)
