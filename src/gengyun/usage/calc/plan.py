"""From definitions to a plan: which measures are needed and which columns over them.

The plan is what an engine is asked; it says nothing about how. Metrics over the same events share
a measure, equal columns are computed once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

from gengyun.usage.calc.definition import Base, Change, Definition, Ratio

KIND_OF = {
    "count": "daily",
    "sum": "daily",
    "active_days": "daily",
    "days_since": "daily",
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
    """A number per customer over a measure; days in [start, end), start None: all time."""

    measure: MeasureNeed
    aggregate: str
    start: date | None
    end: date

    @property
    def name(self) -> str:
        first = self.start.isoformat() if self.start else "ever"
        return f"{self.measure.key}.{self.aggregate}.{first}.{self.end.isoformat()}"


@dataclass(frozen=True)
class Output:
    """How a metric's value comes from columns: as it is, divided, or compared."""

    metric: str
    form: str  # base, ratio, change
    column: Column
    other: Column | None = None  # denominator, or the window before
    field: str | None = None  # denominator that is a field of the customer


@dataclass(frozen=True)
class Plan:
    as_of: date
    outputs: tuple[Output, ...]

    def columns(self) -> list[Column]:
        found = dict.fromkeys(
            column
            for output in self.outputs
            for column in (output.column, output.other)
            if column is not None
        )
        return list(found)

    def measures(self) -> list[MeasureNeed]:
        return list(dict.fromkeys([ANY_USE, *(column.measure for column in self.columns())]))

    def fields(self) -> list[str]:
        return list(dict.fromkeys(o.field for o in self.outputs if o.field is not None))


def measure_of(base: Base) -> MeasureNeed:
    return MeasureNeed(KIND_OF[base.aggregate], base.events, base.property, base.feature)


def measures_for(definitions: Mapping[str, Definition]) -> list[MeasureNeed]:
    """Every measure these metrics read, the standing ones included."""
    needs = [measure_of(item) for item in definitions.values() if isinstance(item, Base)]
    return list(dict.fromkeys([*ALWAYS, *needs]))


def plan_for(
    definitions: Mapping[str, Definition],
    *,
    as_of: date,
    bases: Mapping[str, Base] | None = None,
) -> Plan:
    """The plan of `definitions` as of a day; `bases` are further metrics that they refer to."""
    known = dict(bases or {})
    known.update({key: item for key, item in definitions.items() if isinstance(item, Base)})
    return Plan(as_of, tuple(_output(key, item, known, as_of) for key, item in definitions.items()))


def _output(key: str, definition: Definition, bases: Mapping[str, Base], as_of: date) -> Output:
    if isinstance(definition, Base):
        return Output(key, "base", _column(definition, as_of))
    if isinstance(definition, Change):
        base = bases[definition.metric]
        before = as_of - timedelta(days=base.window_days or 0)
        return Output(key, "change", _column(base, as_of), _column(base, before))
    if isinstance(definition, Ratio):
        above = _column(bases[definition.numerator], as_of)
        if definition.field is not None:
            return Output(key, "ratio", above, field=definition.field)
        return Output(key, "ratio", above, _column(bases[definition.metric or ""], as_of))
    raise TypeError(definition)


def _column(base: Base, end: date) -> Column:
    start = None if base.window_days is None else end - timedelta(days=base.window_days)
    return Column(measure_of(base), base.aggregate, start, end)
