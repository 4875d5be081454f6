"""Filters of the customer list as data: [{"field", "op", "value"}]. Checked here, used in queries.

`FIELDS` says which operators a field knows and what its value is. A filter that is not understood
is refused with its place, never ignored: a list must not show more than it says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gengyun.customers.calc.journeys import PACES
from gengyun.kernel.errors import Refusal
from gengyun.portfolio.calc.custom_filters import ANY_OPERATOR, is_custom
from gengyun.portfolio.calc.needs import GROUPS

NUMBERS = ("gte", "lt", "none", "known")
CHOICE = ("is", "in", "not", "none")
# field -> (operators, kind of value)
FIELDS: dict[str, tuple[tuple[str, ...], str]] = {
    "text": (("contains",), "text"),
    "owner": (CHOICE, "person"),  # id or "me"
    "tier": (CHOICE, "id"),
    "stage": (CHOICE, "id"),
    "pace": (("is", "in"), "pace"),  # of the stay in the stage
    "band": (("is", "in", "not"), "band"),
    "trend": (("is",), "trend"),
    "tag": (("has", "lacks"), "text"),
    "industry": (CHOICE, "text"),
    "region": (CHOICE, "text"),
    "arr": (NUMBERS, "int"),  # minor units
    "seats": (NUMBERS, "int"),
    "score": (NUMBERS, "number"),
    "change": (NUMBERS, "number"),  # points against a week before
    "churn": (NUMBERS, "percent"),  # probability, in percent
    # within: the next n days; before, between: ISO days, both ends included
    "renews": (("within", "between", "before", "overdue", "none"), "days"),
    "touch": (("older", "within", "none"), "days"),  # n days; older includes never
    "next_step": (("overdue", "today", "none", "within"), "days"),
    "need": (("is", "any"), "need"),
    "last_event": (("older", "none"), "days"),
    "active": (NUMBERS, "int"),  # active users of 7 days
    "active_change": (NUMBERS, "number"),  # of them, in percent of four weeks before
    "segment": (("is", "not"), "id"),  # in it, or known not to be
}
WITHOUT_VALUE = frozenset({"none", "known", "overdue", "today", "any"})
WITH_ISO_DAYS = frozenset({"between", "before"})
MAX_FILTERS, MAX_CHOICES = 20, 100
LONGEST_FIELD = 60


class BadFilter(Refusal):
    code = "bad_filter"
    message = "The condition %(condition)s is not understood."


@dataclass(frozen=True)
class Filter:
    field: str
    op: str
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "op": self.op, "value": self.value}


def parse_filters(raw: Any) -> list[Filter]:
    """Check filters that came from a browser or a saved view; refuses what it does not know."""
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MAX_FILTERS:
        raise BadFilter(condition=str(raw)[:60])
    return [_parse(item) for item in raw]


def _parse(item: Any) -> Filter:
    if isinstance(item, Filter):
        return item
    if isinstance(item, Mapping) and is_custom(item.get("field")):
        return _parse_custom(item)
    if not isinstance(item, Mapping) or item.get("field") not in FIELDS:
        raise BadFilter(condition=str(item)[:60])
    operators, kind = FIELDS[item["field"]]
    op, value = item.get("op"), item.get("value")
    if op not in operators:
        raise BadFilter(condition=f"{item['field']} {op}"[:60])
    if op in WITHOUT_VALUE:
        return Filter(item["field"], op)
    try:
        return Filter(item["field"], op, _operand(kind, op, value))
    except (TypeError, ValueError, OverflowError):
        raise BadFilter(condition=f"{item['field']} {op} {value}"[:60]) from None


def _parse_custom(item: Mapping[str, Any]) -> Filter:
    """The shape only: what the field accepts is known where the filter is applied."""
    field, op, value = str(item["field"]), item.get("op"), item.get("value")
    if op not in ANY_OPERATOR or len(field) > LONGEST_FIELD:
        raise BadFilter(condition=f"{field} {op}"[:60])
    if op in WITHOUT_VALUE:
        return Filter(field, op)
    try:
        return Filter(field, op, _operand("text", op, value))
    except (TypeError, ValueError):
        raise BadFilter(condition=f"{field} {op} {value}"[:60]) from None


def _operand(kind: str, op: str, value: Any) -> Any:
    """One value, or a list of them for `in` (1 to 100) and `between` (2)."""
    read = _iso_day if kind == "days" and op in WITH_ISO_DAYS else _READERS[kind]
    if op not in {"in", "between"}:
        return read(value)
    values = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= MAX_CHOICES or (op == "between" and len(values) != 2):
        raise ValueError(value)
    return [read(v) for v in values]


def _text(value: Any) -> str:
    text = str(value).strip()
    if not text or len(text) > 200:
        raise ValueError(value)
    return text


def _integer(value: Any) -> int:
    number = int(value)
    if abs(number) >= 2**62:
        raise ValueError(value)
    return number


def _number(value: Any) -> float:
    number = float(value)
    if not abs(number) < 1e9:  # NaN fails too
        raise ValueError(value)
    return number


def _percent(value: Any) -> float:
    number = float(str(value).strip().removesuffix("%"))
    if not 0 <= number <= 100:
        raise ValueError(value)
    return number


def _days(value: Any) -> int:
    days = int(value)
    if not 0 <= days <= 10_000:
        raise ValueError(value)
    return days


def _iso_day(value: Any) -> str:
    return date.fromisoformat(str(value)).isoformat()


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(value)
        return str(value)

    return read


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "person": lambda value: "me" if value == "me" else _integer(value),
    "id": _integer,
    "int": _integer,
    "number": _number,
    "percent": _percent,
    "days": _days,
    "band": _one_of("A", "B", "C", "D", "N"),
    "pace": _one_of(*PACES),
    "trend": _one_of("up", "down", "flat"),
    "need": _one_of(*GROUPS),
}
