"""What a CSM can carry, and who would have to change hands so that all carry a normal load. Pure.

Rule of thumb of the founding articles: the contract value (ARR) in a CSM's hands should be 20 to 30
times the CSM's yearly salary cost. The count weighted by tier stands beside it, because a book of
many small customers can be heavy at little ARR.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

State = Literal["over", "under", "normal", "unknown"]
LOW, HIGH = Decimal(20), Decimal(30)


@dataclass(frozen=True)
class Band:
    """Normal is `low` to `high` times the salary, both ends included."""

    low: Decimal = LOW
    high: Decimal = HIGH

    def of(self, salary_minor: int) -> tuple[int, int]:
        """The ARR in minor units between which the load is normal."""
        return (
            int((self.low * salary_minor).to_integral_value()),
            int((self.high * salary_minor).to_integral_value()),
        )


@dataclass(frozen=True)
class Held:
    """A customer in somebody's hands. `is_fixed`: must stay where it is."""

    customer: int
    owner: int
    arr_minor: int
    weight: Decimal = Decimal(1)
    is_fixed: bool = False


@dataclass(frozen=True)
class Load:
    """What one CSM carries. `ratio` is None where the salary cost is not known."""

    owner: int
    arr_minor: int
    customers: int
    weighted: Decimal
    salary_minor: int | None
    ratio: Decimal | None
    low_minor: int | None
    high_minor: int | None
    state: State

    @property
    def room_minor(self) -> int | None:
        """ARR that may still come; negative where there is too much."""
        return None if self.high_minor is None else self.high_minor - self.arr_minor


def loads(held: Iterable[Held], salaries: Mapping[int, int | None], band: Band) -> dict[int, Load]:
    """The load of everybody in `salaries`, those without customers included."""
    arr = dict.fromkeys(salaries, 0)
    count = dict.fromkeys(salaries, 0)
    weighted = dict.fromkeys(salaries, Decimal(0))
    for one in held:
        if one.owner in arr:
            arr[one.owner] += one.arr_minor
            count[one.owner] += 1
            weighted[one.owner] += one.weight
    return {
        owner: _load(owner, (arr[owner], count[owner], weighted[owner]), salary, band)
        for owner, salary in salaries.items()
    }


def _load(owner: int, carried: tuple[int, int, Decimal], salary: int | None, band: Band) -> Load:
    arr, count, weighted = carried
    if not salary or salary < 0:
        return Load(owner, arr, count, weighted, None, None, None, None, "unknown")
    low, high = band.of(salary)
    state: State = "over" if arr > high else "under" if arr < low else "normal"
    return Load(owner, arr, count, weighted, salary, Decimal(arr) / salary, low, high, state)


@dataclass(frozen=True)
class Move:
    customer: int
    source: int
    target: int
    arr_minor: int


@dataclass(frozen=True)
class Plan:
    """Moves in the order in which they help most, and the loads before and after them."""

    moves: tuple[Move, ...]
    before: Mapping[int, Load]
    after: Mapping[int, Load]

    @property
    def customers(self) -> int:
        """How many customers would get another CSM: the price of the plan."""
        return len(self.moves)

    @property
    def arr_minor(self) -> int:
        return sum(move.arr_minor for move in self.moves)

    def outside(self, *, after: bool) -> int:
        """ARR above or below the normal loads, summed over the CSMs whose salary is known."""
        found = self.after if after else self.before
        return sum(_outside(one) for one in found.values())


def _outside(load: Load) -> int:
    if load.low_minor is None or load.high_minor is None:
        return 0
    return max(0, load.arr_minor - load.high_minor) + max(0, load.low_minor - load.arr_minor)


def rebalance(
    held: Sequence[Held], salaries: Mapping[int, int | None], band: Band, *, most: int = 500
) -> Plan:
    """Few moves that bring every CSM towards a normal load.

    Step by step the one move is taken that brings the most ARR inside the bands; nobody is pushed
    out of a normal load for it, and customers that are fixed stay. At equal gain the smaller
    customer moves. Greedy: it does not prove that no shorter plan exists.
    """
    before = loads(held, salaries, band)
    board = _Board(held, before)
    moves: list[Move] = []
    while len(moves) < most and (move := board.next_move()) is not None:
        moves.append(move)
    moved = {move.customer: move.target for move in moves}
    now = [
        Held(h.customer, moved.get(h.customer, h.owner), h.arr_minor, h.weight, h.is_fixed)
        for h in held
    ]
    return Plan(tuple(moves), before, loads(now, salaries, band))


class _Board:
    """The state of the search, in arrays: one place per CSM, one per customer that may move."""

    def __init__(self, held: Sequence[Held], before: Mapping[int, Load]) -> None:
        known = [one for one in before.values() if one.salary_minor]
        self.owners = [one.owner for one in known]
        place = {owner: n for n, owner in enumerate(self.owners)}
        self.arr = np.array([one.arr_minor for one in known], dtype=np.int64)
        self.low = np.array([one.low_minor for one in known], dtype=np.int64)
        self.high = np.array([one.high_minor for one in known], dtype=np.int64)
        free = [h for h in held if h.owner in place and not h.is_fixed and h.arr_minor > 0]
        free.sort(key=lambda h: (h.arr_minor, h.customer))  # the smaller first, at equal gain
        self.customer = np.array([h.customer for h in free], dtype=np.int64)
        self.amount = np.array([h.arr_minor for h in free], dtype=np.int64)
        self.at = np.array([place[h.owner] for h in free], dtype=np.int64)
        self.has_moved = np.zeros(len(free), dtype=bool)

    def next_move(self) -> Move | None:
        """From the fullest that can give, else to the emptiest that can take."""
        over = np.flatnonzero(self.arr > self.high)
        for source in over[np.argsort(-(self.arr - self.high)[over], kind="stable")]:
            if (found := self._best(sources=[source], targets=range(len(self.owners)))) is not None:
                return found
        under = np.flatnonzero(self.arr < self.low)
        for target in under[np.argsort(-(self.low - self.arr)[under], kind="stable")]:
            sources = np.flatnonzero(self.arr > self.low)
            if (found := self._best(sources=sources, targets=[target])) is not None:
                return found
        return None

    def _best(self, *, sources: Iterable[int], targets: Iterable[int]) -> Move | None:
        rows = np.flatnonzero(np.isin(self.at, list(sources)) & ~self.has_moved)
        if not len(rows):
            return None
        amount, source = self.amount[rows], self.at[rows]
        left = self.arr[source] - amount
        gives = self._off(source, self.arr[source]) - self._off(source, left)
        may_give = left >= np.minimum(self.low[source], self.arr[source])
        best_gain, best = 0, None
        for target in targets:
            to = np.full(len(rows), target)
            got = self.arr[target] + amount
            gain = gives + self._off(to, self.arr[to]) - self._off(to, got)
            allowed = may_give & (got <= self.high[target]) & (source != target)
            gain = np.where(allowed, gain, 0)
            top = int(np.argmax(gain))
            if gain[top] > best_gain:
                best_gain, best = int(gain[top]), (int(rows[top]), int(target))
        return None if best is None else self._take(*best)

    def _off(self, place: np.ndarray, arr: np.ndarray) -> np.ndarray:
        off: np.ndarray = np.maximum(0, arr - self.high[place])
        off += np.maximum(0, self.low[place] - arr)
        return off

    def _take(self, row: int, target: int) -> Move:
        source, amount = int(self.at[row]), int(self.amount[row])
        self.arr[source] -= amount
        self.arr[target] += amount
        self.at[row] = target
        self.has_moved[row] = True  # nobody changes hands twice
        return Move(int(self.customer[row]), self.owners[source], self.owners[target], amount)
