"""From definitions to a plan: which measures are needed and which columns over them.

The plan is what an engine is asked; it says nothing about how. Metrics over the same events share
a measure, equal columns are computed once. Windows are kept relative to the judged day, so that the
same question is asked of every day, and of many days at once (see `windows`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, TypeAlias

from gengyun.usage.calc.definition import (
    Base,
    Change,
    Days,
    Definition,
    Part,
    Ratio,
    Total,
    parts_of,
    windows_of,
)

KIND_OF = {
    "count": "daily",
    "sum": "daily",
    "active_days": "daily",
    "days_since": "daily",
    "days_without": "daily",
    "users": "users",
    "breadth": "features",
}


@dataclass(frozen=True)
class MeasureNeed:
    """What must be rolled up. kind: daily, users, features."""

    kind: str
    events: tuple[str, ...] | None = None
    summed: str | None = None  # daily: the property whose numbers are added
    feature: str | None = None

    @property
    def key(self) -> str:
        """Derived from the content: the same need is the same roll-up, and never another."""
        content = self.as_json()
        if all(value is None for name, value in content.items() if name != "kind"):
            return f"{self.kind}-all"
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return f"{self.kind}-{blake2b(text.encode(), digest_size=8).hexdigest()}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "events": None if self.events is None else list(self.events),
            "property": self.summed,
            "feature": self.feature,
        }


# every customer's days with any use: says from whom we ever received anything
ANY_USE = MeasureNeed("daily")
# who was active on which day: the usage chart reads it
ANY_USER = MeasureNeed("users")
ALWAYS = (ANY_USE, ANY_USER)


@dataclass(frozen=True)
class Column:
    """A number per customer over a measure: days in [D - first, D - last); first None: all time."""

    measure: MeasureNeed
    aggregate: str  # of AGGREGATES; days_without is days_since here
    first: int | None
    last: int = 0


# How a value comes from columns: a small tree of these


@dataclass(frozen=True)
class Counted:
    """A column, 0 where nothing was counted (or unknown, if so wished)."""

    column: Column
    none_is_unknown: bool = False
    minus: int = 0
    per_days: int | None = None  # x per_days / window
    fewest_days: int | None = None  # window: no longer than the customer is with us


@dataclass(frozen=True)
class FieldNumber:
    field: str


@dataclass(frozen=True)
class FieldDays:
    """Days from a day of the customer to the judged day, or (until) the other way round."""

    field: str
    since: bool


@dataclass(frozen=True)
class Sum:
    """Of the known ones; unknown where none is."""

    parts: tuple["Value", ...]


@dataclass(frozen=True)
class Quotient:
    above: "Value"
    below: "Value"
    unknown_is_zero: bool = False


@dataclass(frozen=True)
class Growth:
    """(now - before) / before, unknown where before is 0 or unknown."""

    now: "Value"
    before: "Value"


Value: TypeAlias = Counted | FieldNumber | FieldDays | Sum | Quotient | Growth
TENURE = FieldDays("started_on", since=True)


@dataclass(frozen=True)
class Output:
    metric: str
    value: Value


@dataclass(frozen=True)
class Plan:
    """`outputs` are the question; `as_ofs` the days it is asked of, ascending.

    `ahead`: that many days from the judged day on count and are known too. 0 is a judgement; live
    values have what the day in hand brought so far on top of the judged day's own windows.
    """

    as_ofs: tuple[date, ...]
    outputs: tuple[Output, ...]
    ahead: int = 0

    def until(self, as_of: date) -> date:
        """The first day of which nothing counts."""
        return as_of + timedelta(days=self.ahead)

    @property
    def newest(self) -> date:
        return self.as_ofs[-1]

    def columns(self) -> list[Column]:
        found = [leaf for output in self.outputs for leaf in leaves(output.value)]
        return list(dict.fromkeys(leaf.column for leaf in found if isinstance(leaf, Counted)))

    def columns_of(self, need: MeasureNeed) -> list[Column]:
        return [column for column in self.columns() if column.measure == need]

    def measures(self) -> list[MeasureNeed]:
        return list(dict.fromkeys([ANY_USE, *(column.measure for column in self.columns())]))

    def fields(self) -> list[str]:
        """Customer fields that are read as numbers."""
        found = [leaf for output in self.outputs for leaf in leaves(output.value)]
        return list(dict.fromkeys(leaf.field for leaf in found if isinstance(leaf, FieldNumber)))

    def day_fields(self) -> list[str]:
        """Customer fields that are read as days up to the judged day."""
        found = [leaf for output in self.outputs for leaf in leaves(output.value)]
        names = [leaf.field for leaf in found if isinstance(leaf, FieldDays)]
        if any(isinstance(leaf, Counted) and leaf.fewest_days for leaf in found):
            names.append(TENURE.field)
        return list(dict.fromkeys(names))


def leaves(value: Value) -> list[Counted | FieldNumber | FieldDays]:
    if isinstance(value, Sum):
        return [leaf for part in value.parts for leaf in leaves(part)]
    if isinstance(value, Quotient):
        return [*leaves(value.above), *leaves(value.below)]
    if isinstance(value, Growth):
        return [*leaves(value.now), *leaves(value.before)]
    return [value]


def measure_of(base: Base) -> MeasureNeed:
    return MeasureNeed(KIND_OF[base.aggregate], base.events, base.property, base.feature)


def measures_for(definitions: Mapping[str, Definition]) -> list[MeasureNeed]:
    """Every measure these metrics read, the standing ones included."""
    needs = [measure_of(item) for item in definitions.values() if isinstance(item, Base)]
    return list(dict.fromkeys([*ALWAYS, *needs]))


def plan_for(
    definitions: Mapping[str, Definition],
    *,
    as_of: date | Iterable[date],
    parts: Mapping[str, Part] | None = None,
    ahead: int = 0,
) -> Plan:
    """The plan of `definitions` as of some days; `parts` are further metrics that they refer to."""
    known = {**(parts or {}), **parts_of(definitions)}
    days = (as_of,) if isinstance(as_of, date) else tuple(sorted(set(as_of)))
    outputs = tuple(Output(key, _value(item, known)) for key, item in definitions.items())
    return Plan(days, outputs, ahead)


def _value(definition: Definition, parts: Mapping[str, Part]) -> Value:
    if isinstance(definition, Ratio):
        below: Value = (
            _part(parts[definition.metric], parts)
            if definition.metric is not None
            else FieldNumber(definition.field or "")
        )
        return Quotient(
            _part(parts[definition.numerator], parts), below, definition.unknown_is_zero
        )
    if isinstance(definition, Change):
        part = parts[definition.metric]
        windows = [days for days in windows_of(part, parts) if days is not None]
        back = definition.days or max(windows)
        return Growth(_part(part, parts, counts=True), _part(part, parts, back=back, counts=True))
    return _part(definition, parts)


def _part(part: Part, parts: Mapping[str, Part], *, back: int = 0, counts: bool = False) -> Value:
    """`back`: as many days earlier. `counts`: nothing counted is 0, whatever the metric says."""
    if isinstance(part, Days):
        return FieldDays(part.field, part.since)
    if isinstance(part, Total):
        return Sum(
            tuple(_part(parts[key], parts, back=back, counts=counts) for key in part.metrics)
        )
    is_all_time = part.window_days is None
    first = None if part.window_days is None else part.window_days + back
    return Counted(
        column=Column(
            measure_of(part), "days_since" if is_all_time else part.aggregate, first, back
        ),
        none_is_unknown=part.none_is_unknown and not counts,
        minus=1 if part.aggregate == "days_without" else 0,
        per_days=part.per_days,
        fewest_days=part.fewest_days,
    )
