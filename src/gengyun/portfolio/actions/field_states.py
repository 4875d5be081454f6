"""The values of fields whose change somebody waits for, as they were looked at day by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gengyun.customers.models import FieldValue
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.expressions import Changed
from gengyun.portfolio.calc.vector import Yes
from gengyun.portfolio.models import CustomerSummary, FieldState
from gengyun.portfolio.queries.conditions import COLUMNS
from gengyun.portfolio.queries.truth import within

BATCH = 2_000
LONGEST = 500
_WRITTEN = ("value", "previous", "changed_on")
State = tuple[str, str | None, date | None]  # in that order


@dataclass(frozen=True)
class Followed:
    """One field of one stretch of customers, in the order of their keys."""

    is_new: Yes  # became another on the day that is asked about
    before: NDArray[np.str_]
    value: NDArray[np.str_]

    def changed(self, leaf: Changed, *, is_true: bool) -> Yes:
        found = self.is_new.copy()
        if leaf.before is not None:
            found &= self.before == leaf.before
        if leaf.after is not None:
            found &= self.value == leaf.after
        return found if is_true else ~found


def follow_fields(
    fields: Iterable[str], ids: NDArray[np.int64], keys: tuple[int, int], *, day: date
) -> Mapping[str, Followed]:
    """Store what is another value than the last one; inside the caller's transaction."""
    return {name: _follow(name, ids, keys, day) for name in sorted(fields)}


def _follow(name: str, ids: NDArray[np.int64], keys: tuple[int, int], day: date) -> Followed:
    now = values_of(name, keys)
    rows = FieldState.objects.filter(field=name, **within(keys)).order_by()
    stored = {pk: tuple(rest) for pk, *rest in rows.values_list("customer_id", *_WRITTEN)}
    found: list[State] = []
    new: list[FieldState] = []
    moved: list[FieldState] = []
    for pk in ids.tolist():
        value, before = now.get(pk, ""), stored.get(pk)
        state = (value, None, None) if before is None else _moved(before, value, day)
        found.append(state)
        if state != before:
            row = FieldState(field=name, customer_id=pk, **dict(zip(_WRITTEN, state, strict=True)))
            (new if before is None else moved).append(row)
    FieldState.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    FieldState.objects.bulk_create(
        moved,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["field", "customer"],
        update_fields=_WRITTEN,
    )
    return Followed(
        np.array([changed_on == day for _, _, changed_on in found], np.bool_),
        np.array([previous or "" for _, previous, _ in found], np.str_),
        np.array([value for value, _, _ in found], np.str_),
    )


def _moved(state: State, value: str, day: date) -> State:
    """Within one day only its beginning and its end count: there and back is no change."""
    before, previous, changed_on = state
    if before == value:
        return state
    if changed_on != day:
        return value, before, day
    return value, previous, None if previous == value else day


def values_of(name: str, keys: tuple[int, int]) -> dict[int, str]:
    """The field of the customers with these keys (from, to) as text; absent or "": none."""
    if not is_custom(name):
        column = COLUMNS[name]
        rows = CustomerSummary.objects.filter(**within(keys, "pk")).order_by()
        return {pk: _text(value) for pk, value in rows.values_list("pk", column)}
    field = fields_named([name]).get(name)
    if field is None:
        return {}
    held = FieldValue.objects.filter(field=field, **within(keys))
    found: dict[int, str] = {}
    for pk, *parts in held.order_by("customer_id", "place").values_list(
        "customer_id", "text", "number", "day"
    ):
        value = next((_text(part) for part in parts if part is not None), "")
        found[pk] = f"{found[pk]},{value}"[:LONGEST] if pk in found else value[:LONGEST]
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "normalize"):  # a decimal: 3 and 3.0000 are the same
        return f"{value.normalize():f}"
    return str(value)
