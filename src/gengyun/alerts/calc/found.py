"""What a rule sees on a day, for all customers at once: arrays, turned into words when needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
# value now, value before the episode, days since it opened -> is it over?
Back = Callable[[float, float, int], bool]


@dataclass(frozen=True)
class Reading:
    """One rule about one thing on one day. Neither entered nor cleared: it goes on as it was."""

    entered: bool
    cleared: bool
    severity: int
    value: float | None = None
    reference: float | None = None  # what it was before, where the rule compares
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """Rows of one rule; row i is about `keys[i]` of the customer `ids[i]` (-1: the company)."""

    ids: Ints
    entered: Flags
    cleared: Flags
    severity: Ints
    value: Floats
    reference: Floats | None = None
    facts: Mapping[str, Sequence[Any] | npt.NDArray[Any]] = field(default_factory=dict)
    keys: Sequence[str] | None = None  # None: one row per customer, ids ascending
    worse: str = ""  # lower, higher: which way of `value` is worse; "": only severity tells
    back: Back | None = None  # decides about the end instead of `cleared`
    back_and_cleared: bool = False  # both have to say so
    missing_is_cleared: bool = False  # a thing that is not among the rows is settled
    evaluations: int = 1  # judged days in a row that it takes to open
    outside: Flags | None = None  # rows beyond the rule's scope: what is open there ends

    def key(self, row: int) -> str:
        return self.keys[row] if self.keys is not None else f"c:{self.ids[row]}"

    def row_of(self, customer_id: int | None) -> int | None:
        """Where there is one row per customer: the row of this one."""
        if customer_id is None or not len(self.ids):
            return None
        place = int(np.searchsorted(self.ids, customer_id))
        return place if place < len(self.ids) and self.ids[place] == customer_id else None

    def reading(self, row: int, *, reference: float | None = None, days_open: int = 0) -> Reading:
        """`reference` and `days_open` of the running episode, where there is one."""
        value = plain(self.value[row])
        cleared = bool(self.cleared[row])
        if self.back is not None and reference is not None and value is not None:
            is_back = self.back(value, reference, days_open)
            cleared = is_back and (cleared or not self.back_and_cleared)
        entered = bool(self.entered[row])
        return Reading(
            entered=entered,
            cleared=cleared and not entered,
            severity=int(self.severity[row]),
            value=value,
            reference=plain(self.reference[row]) if self.reference is not None else None,
            facts={name: plain(column[row]) for name, column in self.facts.items()},
        )


def plain(value: Any) -> Any:
    """A value as JSON knows it: no numpy types, NaN is null, days as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if value != value else round(value, 6)  # noqa: PLR0124 - NaN
    if isinstance(value, date):
        return value.isoformat()
    return value
