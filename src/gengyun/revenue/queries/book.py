"""The movements of the customers an actor sees, as columns in one currency: what insight adds up.

A unit is a customer. Amounts are in the base currency: under the policy `fx` at the rates of the
last day (`constant`), or at those of each movement's day (`reported`), where what exchange rates
alone did is a line of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of
from gengyun.revenue.calc.conversion import converted, converted_steps
from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.calc.moves import (
    I64,
    KIND_CODE,
    Bools,
    Moves,
    added,
    balances,
    day_number,
    day_of_number,
)
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.models import Line
from gengyun.revenue.queries.frames import Frame, movement_frame
from gengyun.revenue.queries.rates import rates_known
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope

ONE_DAY = timedelta(days=1)
PAUSES = ("pause", "resume")


@dataclass(frozen=True)
class Book:
    """`moves.unit` is a place in `customers`; the other arrays have one item per movement."""

    currency: str
    customers: I64  # ids, rising
    moves: Moves
    pk: I64
    product: I64  # id, 0 without one
    line: I64
    native: I64  # amounts in `code`'s currency
    code: I64  # place in `codes`
    codes: tuple[str, ...]
    rates: Rates
    without_rate: dict[str, int] = field(default_factory=dict)  # currency -> movements left out

    def only(self, rows: Bools) -> "Book":
        """The same customers, fewer movements."""
        return Book(
            self.currency,
            self.customers,
            self.moves.only(rows),
            self.pk[rows],
            self.product[rows],
            self.line[rows],
            self.native[rows],
            self.code[rows],
            self.codes,
            self.rates,
            self.without_rate,
        )

    def reported(self, ends: Sequence[int], moves: Moves | None = None) -> I64 | None:
        """Balances at the rates of the days of `ends`; None where there is one currency only.
        `moves`: the same movements by other units."""
        if all(code == self.currency for code in self.codes):
            return None
        moves = self.moves if moves is None else moves
        total: I64 = np.zeros((moves.units, len(ends)), np.int64)
        for place, code in enumerate(self.codes):
            rows = self.code == place
            own = Moves(
                moves.unit[rows],
                moves.day[rows],
                self.native[rows],
                moves.kind[rows],
                moves.units,
            )
            table = balances(own, ends)
            for column, end in enumerate(ends):
                rate = self.rates.on(code, day_of_number(end))
                if rate is not None:
                    total[:, column] += converted(table[:, column], rate, code, self.rates.base)
        return total


def book(
    actor: User | None,
    *,
    as_of: date,
    known: date | None = None,
    policy: Policy,
    among: Q | None = None,
    frame: Frame | None = None,
) -> Book:
    """What had taken effect or will, as known at the end of `known` (default: now).

    `among`: a condition on customers, beside what the actor may see.
    """
    frame = movement_frame() if frame is None else frame
    rows = frame.rows
    kept = np.ones(len(rows), bool)
    if (wanted := wanted_customers(actor, among)) is not None:
        kept &= np.isin(rows["customer"], wanted)
    if known is not None:
        kept &= rows["known"] < int(start_of(known + ONE_DAY).timestamp())
    if policy.pause == "unchanged":
        kept &= ~np.isin(rows["kind"], [KIND_CODE[kind] for kind in PAUSES])
    return _as_book(
        frame if bool(kept.all()) else frame.only(kept), rates_known(known), as_of, policy
    )


def wanted_customers(actor: User | None, among: Q | None) -> I64 | None:
    """Ids of the customers that count; None for all of them."""
    scope = customer_scope(actor)
    if among is None and not scope:
        return None
    found = Customer.objects.filter(scope)
    if among is not None:
        found = found.filter(among)
    return np.array(sorted(set(found.values_list("pk", flat=True))), np.int64)


def _as_book(frame: Frame, rates: Rates, as_of: date, policy: Policy) -> Book:
    rows, codes = frame.rows, frame.codes
    customers, unit = _numbered(rows["customer"])
    day, code, native = rows["day"].astype(np.int64), rows["code"], rows["arr"]
    amount, has_rate = native, np.ones(len(rows), bool)
    if any(name != rates.base for name in codes):
        amount = native.copy()
    for number, name in enumerate(codes):
        if name == rates.base or not bool((at := code == number).any()):
            continue
        if policy.fx == "reported":
            amount[at], has_rate[at] = _at_their_days(native[at], name, rates, day[at])
        elif (rate := rates.on(name, as_of)) is not None:
            parts = unit[at] * 2**32 + rows["line"][at]
            passed_on = rows["kind"][at] == KIND_CODE["transfer"]
            amount[at] = converted_steps(
                parts,
                day[at],
                native[at],
                rate,
                currency=name,
                base=rates.base,
                rank=~passed_on,
            )
        else:
            has_rate[at] = False
    made = Book(
        currency=rates.base,
        customers=customers,
        moves=Moves(unit, day, amount, rows["kind"], len(customers)),
        pk=rows["pk"],
        product=rows["product"],
        line=rows["line"],
        native=native,
        code=code,
        codes=codes,
        rates=rates,
        without_rate={
            name: count
            for number, name in enumerate(codes)
            if (count := int((~has_rate & (code == number)).sum()))
        },
    )
    return made if bool(has_rate.all()) else made.only(has_rate)


def _numbered(ids: npt.NDArray[np.int32]) -> tuple[I64, I64]:
    """The different ids, rising, and the place of each row's among them."""
    if not len(ids):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    seen = np.zeros(int(ids.max()) + 1, bool)
    seen[ids] = True
    place = np.cumsum(seen) - 1
    return np.flatnonzero(seen), place[ids]


def _at_their_days(native: I64, code: str, rates: Rates, day: I64) -> tuple[I64, Bools]:
    """Each at the rate of its day, in the base currency; without a rate 0 and False."""
    found, known = np.zeros(len(native), np.int64), np.zeros(len(native), bool)
    steps = rates.days.get(code, ())
    starts = np.array([day_number(on) for on, _ in steps], np.int64)
    step = np.searchsorted(starts, day, side="right") - 1
    for place in np.unique(step).tolist():
        if place >= 0:
            at = step == place
            found[at] = converted(native[at], steps[place][1], code, rates.base)
            known[at] = True
    return found, known


def finer(of: Book, level: str) -> tuple[Moves, I64]:
    """The movements by units smaller than a customer, and the customer of each unit.

    `product`: a customer's product; `line`: a line with what it renewed.
    """
    part = of.product if level == "product" else _roots(of.line)
    keys, unit = np.unique(of.moves.unit * 2**32 + part, return_inverse=True)
    moves = of.moves
    fine = Moves(unit.astype(np.int64), moves.day, moves.amount, moves.kind, len(keys))
    return fine, keys // 2**32


def _roots(lines: I64) -> I64:
    """The first line of the chain of renewals each line belongs to."""
    pairs = np.array(
        list(Line.objects.exclude(previous=None).order_by().values_list("pk", "previous_id")),
        np.int64,
    ).reshape(-1, 2)
    before = np.arange(max(int(lines.max(initial=0)), int(pairs.max(initial=0))) + 1)
    before[pairs[:, 0]] = pairs[:, 1]
    # each turn doubles how far back is seen; the turns are bounded, should a chain be a circle
    for _ in range(32):
        further = before[before]
        if bool((further == before).all()):
            break
        before = further
    found: I64 = before[lines]
    return found


def summed(unit: I64, amount: I64, units: int) -> I64:
    """Amounts by unit."""
    return added(unit, amount, units)
