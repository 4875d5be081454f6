"""Which movements something signed, renewed or ended makes. Every ARR figure is their sum.

What passes from a line to its successor is a pair of `transfer` rows that add up to nothing; what
changes with it is a row of its own. So the sum over a line, a contract, a product, a customer and
the company is the ARR of each, on every day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from gengyun.kernel.currencies import minor_of_one
from gengyun.revenue.calc.terms import rounded


class Entry(Protocol):
    """A row of the ledger."""

    effective_on: date
    arr_minor: int
    currency: str
    line_id: int | None
    group: str


@dataclass(frozen=True, slots=True)
class Sold:
    """What is compared of a line: yearly revenue, seats, product, edition."""

    key: int
    arr_minor: int
    currency: str
    product: int
    seats: int | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A movement to be written: `key` says on which line."""

    key: int
    kind: str
    arr_minor: int
    seats_delta: int | None = None
    due_minor: int | None = None


def total(entries: Iterable[Entry], on: date) -> dict[str, int]:
    """ARR in force on a day, by currency: the sum of what is effective by then."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.effective_on <= on:
            found[entry.currency] = found.get(entry.currency, 0) + entry.arr_minor
    return found


def by_line(entries: Iterable[Entry], on: date) -> dict[int, int]:
    """ARR in force of every line that has some."""
    found: dict[int, int] = {}
    for entry in entries:
        if entry.effective_on <= on and entry.line_id is not None:
            found[entry.line_id] = found.get(entry.line_id, 0) + entry.arr_minor
    return {line: arr for line, arr in found.items() if arr}


def has_arr(entries: Iterable[Entry], on: date) -> bool:
    return any(total(entries, on).values())


def had_arr_before(entries: Iterable[Entry], on: date) -> bool:
    """Was there a day before `on` with ARR in force?"""
    running: dict[str, int] = {}
    earlier = sorted((e for e in entries if e.effective_on < on), key=lambda e: e.effective_on)
    for at, entry in enumerate(earlier):
        running[entry.currency] = running.get(entry.currency, 0) + entry.arr_minor
        is_last = at + 1 == len(earlier) or earlier[at + 1].effective_on > entry.effective_on
        if is_last and any(arr > 0 for arr in running.values()):
            return True
    return False


def kind_of_added(entries: Sequence[Entry], group: str, on: date) -> str:
    """What a line is that renews nothing. Judged by the day before: all lines of a first day are
    new business."""
    earlier = [entry for entry in entries if entry.effective_on < on]
    if not has_arr(earlier, on):
        return "win_back" if had_arr_before(earlier, on) else "new"
    held = total((entry for entry in earlier if entry.group == group), on)
    return "upsell" if any(held.values()) else "cross_sell"


def kind_of_ended(entries: Sequence[Entry], ended: Mapping[int, int], on: date) -> str:
    """Lines that end together: churn if nothing is left of the customer, else a downsell."""
    left = sum(
        entry.arr_minor
        for entry in entries
        if entry.effective_on <= on and entry.line_id not in ended
    )
    return "downsell" if left > 0 else "churn"


def change(old: Sold, new: Sold, *, is_price: bool | None = None) -> list[Step]:
    """What changed from one line to the next, seats apart from price.

    Seats count at the old price of a seat, the rest is price, unless rounding explains it; another
    edition or product is an upsell or downsell. `is_price=True`: the whole change is one of price.
    """
    diff = new.arr_minor - old.arr_minor
    delta = _seats_delta(old, new)
    if not diff:
        return []
    sold = "upsell" if diff > 0 else "downsell"
    if is_price:
        return [Step(new.key, "price_change", diff, delta)]
    same = old.product == new.product and old.edition == new.edition
    if not same or is_price is False or not old.seats or new.seats is None:
        return [Step(new.key, sold, diff, delta)]
    volume = rounded(Decimal(old.arr_minor) * (new.seats - old.seats) / old.seats)
    price = diff - volume
    if volume * diff > 0 and abs(price) <= _roundings(old, new, new.seats / Decimal(old.seats)):
        volume, price = diff, 0
    steps = []
    if volume:
        steps.append(Step(new.key, "upsell" if volume > 0 else "downsell", volume, delta))
    if price:
        steps.append(Step(new.key, "price_change", price, None if volume else delta))
    return steps


def _roundings(old: Sold, new: Sold, growth: Decimal) -> Decimal:
    """How far the total may lie from the old price of a seat without a change of price.

    Totals are agreed in whole yuan, or hundreds of them: each may be half such a step off, the old
    one times what the seats grew by. The step is the largest power of ten in both totals. More
    than a thousandth of the total is a change of price all the same, and so is every difference
    where no seat was added or taken away: then nothing else has changed.
    """
    step = minor_of_one(new.currency)
    while not (old.arr_minor % (step * 10) or new.arr_minor % (step * 10)):
        step *= 10
    off = Decimal(step) / 2 * (1 + growth)
    return max(min(off, Decimal(new.arr_minor) / 1_000), Decimal(1))


def _seats_delta(old: Sold, new: Sold) -> int | None:
    if old.seats is None or new.seats is None:
        return None
    return new.seats - old.seats


@dataclass(frozen=True, slots=True)
class Succession:
    """Lines that follow lines. `pairs`: old and new of the transfers; `lapsed`: old lines that
    nothing follows; `added`: new lines that follow nothing."""

    pairs: list[tuple[Sold, Sold]]
    lapsed: list[Sold]
    added: list[Sold]


def succession(old: Sequence[Sold], new: Sequence[Sold]) -> Succession:
    """Who follows whom: the same product first, then the rest in their order.

    Each new line follows at most one old line, each old line is followed by at most one: several
    old lines of a product are taken together first (`gathered`).
    """
    waiting = list(new)
    pairs: list[tuple[Sold, Sold]] = []
    rest: list[Sold] = []
    for one in old:
        same = next((n for n in waiting if n.product == one.product), None)
        if same is None:
            rest.append(one)
        else:
            waiting.remove(same)
            pairs.append((one, same))
    while rest and waiting:
        pairs.append((rest.pop(0), waiting.pop(0)))
    return Succession(pairs, rest, waiting)


def allocated(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount in whole minor units, by weights, without losing any: largest remainders first."""
    whole = sum(weights)
    if not whole:
        return [amount if at == 0 else 0 for at in range(len(weights))]
    exact = [Decimal(amount) * weight / whole for weight in weights]
    shares = [int(part) for part in exact]
    order = sorted(range(len(weights)), key=lambda at: (-abs(exact[at] - shares[at]), at))
    missing = amount - sum(shares)
    for at in order[: abs(missing)]:
        shares[at] += 1 if missing > 0 else -1
    return shares
