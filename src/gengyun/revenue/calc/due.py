"""What of the ledger comes due on a day, and what became of it. Pure.

A line is due on its last day with the ARR it has then. It is answered by a `renew` row (the ARR
passed on), by a churn or downsell that names the due day, or not yet. A line whose ARR passed on
without a `renew` row was extended or upgraded: it does not come due on that day any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

OPEN, RENEWED, LOST = "open", "renewed", "lost"
LOSSES = ("churn", "downsell")
STEPS = ("upsell", "downsell", "price_change")  # what changed together with a renewal
PAUSES = ("pause", "resume")


class AnyLine(Protocol):
    @property
    def pk(self) -> int: ...
    @property
    def group(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def product_id(self) -> int: ...
    @property
    def ends_on(self) -> date | None: ...
    @property
    def corrects_id(self) -> int | None: ...
    @property
    def known_at(self) -> datetime: ...


class AnyMovement(Protocol):
    @property
    def pk(self) -> int | None: ...
    @property
    def line_id(self) -> int | None: ...
    @property
    def group(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def effective_on(self) -> date: ...
    @property
    def arr_minor(self) -> int: ...
    @property
    def due_on(self) -> date | None: ...
    @property
    def due_minor(self) -> int | None: ...
    @property
    def signed_on(self) -> date | None: ...
    @property
    def cause(self) -> str: ...
    @property
    def involuntary(self) -> bool: ...
    @property
    def corrects_id(self) -> int | None: ...
    @property
    def known_at(self) -> datetime: ...


Key = tuple[str, date, str]  # group, due day, currency


@dataclass
class Due:
    """One renewal of one customer. `parts`: line -> ARR of it that came due."""

    key: Key
    parts: dict[int, int] = field(default_factory=dict)
    products: set[int] = field(default_factory=set)
    open_minor: int = 0
    renewed_minor: int = 0  # of what was due, this much passed on
    lost_minor: int = 0
    step_minor: int = 0  # by how much the renewed part changed
    successor_id: int | None = None
    signed_on: date | None = None
    decided_at: datetime | None = None  # when we learned of it
    cause: str = ""
    involuntary: bool = False
    known_at: datetime | None = None  # since when we know that it comes due

    @property
    def due_minor(self) -> int:
        return self.open_minor + self.renewed_minor + self.lost_minor

    @property
    def state(self) -> str:
        if self.open_minor > 0:
            return OPEN
        return RENEWED if self.renewed_minor > 0 else LOST

    @property
    def outcome_minor(self) -> int | None:
        """ARR afterwards; None while something is open."""
        if self.state == OPEN:
            return None
        return max(0, self.renewed_minor + self.step_minor) if self.renewed_minor else 0


def came_due(lines: Iterable[AnyLine], movements: Sequence[AnyMovement]) -> dict[Key, Due]:
    """Everything of one customer that came or comes due, by (group, day, currency)."""
    found: dict[Key, Due] = {}
    of_line: dict[int, list[AnyMovement]] = defaultdict(list)
    for row in movements:
        if row.line_id is not None:
            of_line[row.line_id].append(row)
    taken_back = {row.corrects_id for row in movements if row.corrects_id is not None}
    by_pk = {line.pk: line for line in lines}
    for line in by_pk.values():
        _open(found, line, of_line[line.pk])
    renewed = {
        (row.group, row.due_on, row.currency, row.effective_on)
        for row in movements
        if row.kind == "renew" and row.due_on is not None
    }
    # a line that was voided answers nothing, unless another one stands in its place
    standing = by_pk.keys() | {line.corrects_id for line in by_pk.values()}
    for row in movements:
        if row.due_on is None or (row.pk is not None and row.pk in taken_back):
            continue
        if row.line_id not in standing:
            continue
        _answer(found, row)
    for line in by_pk.values():
        _passed_on(found, line, of_line[line.pk], renewed)
    return {key: due for key, due in found.items() if due.due_minor > 0}


def _due_at(found: dict[Key, Due], group: str, on: date, currency: str) -> Due:
    key = (group, on, currency)
    if key not in found:
        found[key] = Due(key)
    return found[key]


def _open(found: dict[Key, Due], line: AnyLine, rows: Sequence[AnyMovement]) -> None:
    """A line that still has ARR when everything scheduled has happened is not answered."""
    if line.ends_on is None:
        return
    paused = -sum(row.arr_minor for row in rows if row.kind in PAUSES)
    left = sum(row.arr_minor for row in rows) + paused
    if left <= 0:
        return
    due = _due_at(found, line.group, line.ends_on, line.currency)
    due.open_minor += left
    _add_part(due, line, left)


def _add_part(due: Due, line: AnyLine, minor: int) -> None:
    due.parts[line.pk] = due.parts.get(line.pk, 0) + minor
    due.products.add(line.product_id)
    if due.known_at is None or line.known_at < due.known_at:
        due.known_at = line.known_at


def _answer(found: dict[Key, Due], row: AnyMovement) -> None:
    if row.due_on is None:
        return
    due = _due_at(found, row.group, row.due_on, row.currency)
    if row.kind == "renew":
        due.renewed_minor += row.due_minor or 0
        due.successor_id = due.successor_id or row.line_id
        due.signed_on = row.signed_on or due.signed_on
    elif row.kind in LOSSES and row.due_minor is not None:
        due.lost_minor += row.due_minor
        due.cause = row.cause or due.cause
        due.involuntary |= row.involuntary
    elif row.kind in STEPS:
        due.step_minor += row.arr_minor
    else:
        return
    if due.decided_at is None or row.known_at > due.decided_at:
        due.decided_at = row.known_at


def _passed_on(
    found: dict[Key, Due],
    line: AnyLine,
    rows: Sequence[AnyMovement],
    renewed: set[tuple[str, date, str, date]],
) -> None:
    """Which lines were in a due date that is answered: by what left them."""
    if line.ends_on is None:
        return
    due = found.get((line.group, line.ends_on, line.currency))
    if due is None:
        return
    for row in rows:
        is_renewal = (line.group, line.ends_on, line.currency, row.effective_on) in renewed
        is_loss = row.kind in LOSSES and row.due_on == line.ends_on and row.due_minor is not None
        if row.arr_minor < 0 and ((row.kind == "transfer" and is_renewal) or is_loss):
            _add_part(due, line, -row.arr_minor)
