"""Several currencies in one: dated rates, and the exchange effect as its own line.

ARR moves in its own currency; at other rates the same ARR is another amount of the base currency.
That difference is neither expansion nor contraction. Sources: ChartMogul (multiple currencies),
Stripe (billing metric definitions).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from gengyun.kernel.currencies import DECIMALS
from gengyun.revenue.calc.terms import rounded


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates to one base currency; a rate holds until the next one."""

    base: str
    days: Mapping[str, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)

    @classmethod
    def of(cls, base: str, rows: Iterable[tuple[str, date, Decimal]]) -> "Rates":
        """Rows of (currency, on, rate); of two for one day the later row holds."""
        found: dict[str, dict[date, Decimal]] = {}
        for currency, on, rate in rows:
            found.setdefault(currency, {})[on] = rate
        return cls(base, {code: sorted(days.items()) for code, days in found.items()})

    def on(self, currency: str, day: date) -> Decimal | None:
        """None: no rate is known for this day."""
        if currency == self.base:
            return Decimal(1)
        known = self.days.get(currency, ())
        at = bisect_right(known, day, key=lambda row: row[0])
        return known[at - 1][1] if at else None

    def converted(self, minor: int, currency: str, day: date) -> int | None:
        """Minor units of the base currency. None: no rate."""
        rate = self.on(currency, day)
        return None if rate is None else converted(minor, rate, currency, self.base)


def converted(minor: int, rate: Decimal, currency: str, base: str) -> int:
    shift = DECIMALS.get(base, 2) - DECIMALS.get(currency, 2)
    return rounded((Decimal(minor) * rate).scaleb(shift))


@dataclass(frozen=True, slots=True)
class Effect:
    """Of a period, in the base currency: start + moved + effect = end."""

    start: int
    moved: int  # movements at the rate of the day they took effect
    effect: int  # what exchange rates alone did
    end: int


def effect(
    start: Mapping[str, int],
    moves: Iterable[tuple[str, date, int]],
    first: date,
    last: date,
    rates: Rates,
) -> Effect | None:
    """`start`: ARR by currency at the end of `first`; `moves`: (currency, day, amount) after it, up
    to `last`. None: a rate is missing."""
    end = dict(start)
    moved = 0
    for currency, on, amount in moves:
        value = rates.converted(amount, currency, on)
        if value is None:
            return None
        moved += value
        end[currency] = end.get(currency, 0) + amount
    opening = _sum(start, first, rates)
    closing = _sum(end, last, rates)
    if opening is None or closing is None:
        return None
    return Effect(opening, moved, closing - opening - moved, closing)


def _sum(amounts: Mapping[str, int], on: date, rates: Rates) -> int | None:
    values = [rates.converted(minor, code, on) for code, minor in amounts.items() if minor]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
