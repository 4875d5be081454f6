"""Conditions on the company's own fields: which operators a kind of field knows, and its operands.

A filter is parsed without knowing the field (its definition lies in the database), so it is checked
twice: its shape when it is read, its meaning here when it is applied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from gengyun.customers.calc.custom import PREFIX, Definition

COMPARED = ("gte", "lt", "between", "none", "known")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("contains", "is", "none", "known"),
    "number": COMPARED,
    "money": COMPARED,
    # within: the next n days; older: more than n days ago; before, between: ISO days
    "date": ("within", "older", "overdue", "before", "between", "none", "known"),
    "bool": ("is", "none", "known"),
    "choice": ("is", "in", "not", "none", "known"),
    "multi": ("has", "in", "lacks", "none", "known"),
}
ANY_OPERATOR = frozenset(op for ops in OPERATORS.values() for op in ops)
NEGATIVE = frozenset({"none", "not", "lacks"})  # true of customers without a row, too
MAX_DAYS = 10_000


def is_custom(field: object) -> bool:
    return isinstance(field, str) and field.startswith(PREFIX)


@dataclass(frozen=True)
class Match:
    """Which stored rows fit: {lookup: value}; `is_not`: the customers who have no such row."""

    lookups: Mapping[str, Any]
    is_not: bool = False


def match_of(definition: Definition, op: str, value: Any, *, today: date) -> Match:
    """Raises ValueError where operator or operand do not belong to the field."""
    if op not in OPERATORS[definition.kind]:
        raise ValueError(op)
    if op in {"none", "known"}:
        return Match({}, op == "none")
    return Match(_LOOKUPS[definition.kind](definition, op, value, today), op in NEGATIVE)


def _text(_definition: Definition, op: str, value: Any, _today: date) -> dict[str, Any]:
    if op == "contains":
        # the index of texts holds no nulls: said here, the search reads it and not the table
        return {"text__isnull": False, "text__icontains": str(value)}
    return {"text": str(value)}


def _number(definition: Definition, op: str, value: Any, _today: date) -> dict[str, Any]:
    if op == "between":
        first, last = value
        return {"number__gte": _decimal(first), "number__lte": _decimal(last)}
    return {f"number__{op}": _decimal(value)}


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(value) from error
    if not number.is_finite() or abs(number) >= 10**16:
        raise ValueError(value)
    return number


def _date(_definition: Definition, op: str, value: Any, today: date) -> dict[str, Any]:
    if op == "between":
        first, last = (date.fromisoformat(str(one)) for one in value)
        return {"day__gte": first, "day__lte": last}
    if op == "before":
        return {"day__lt": date.fromisoformat(str(value))}
    if op == "overdue":
        return {"day__lt": today}
    days = int(value)
    if not 0 <= days <= MAX_DAYS:
        raise ValueError(value)
    if op == "older":
        return {"day__lt": today - timedelta(days=days)}
    return {"day__gte": today, "day__lte": today + timedelta(days=days)}


def _bool(_definition: Definition, _op: str, value: Any, _today: date) -> dict[str, Any]:
    if value not in {"yes", "no"}:
        raise ValueError(value)
    return {"number": 1 if value == "yes" else 0}


def _option(definition: Definition, op: str, value: Any, _today: date) -> dict[str, Any]:
    wanted = value if isinstance(value, list) else [value]
    if any(definition.rank(key) is None for key in wanted):
        raise ValueError(value)
    return {"text__in": wanted} if op == "in" else {"text": wanted[0]}


_LOOKUPS: Mapping[str, Callable[[Definition, str, Any, date], dict[str, Any]]] = {
    "text": _text,
    "number": _number,
    "money": _number,
    "date": _date,
    "bool": _bool,
    "choice": _option,
    "multi": _option,
}
