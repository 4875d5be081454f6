"""Conditions on rows, as plain data: which files may match, and the filter inside a file."""

from collections.abc import Sequence
from typing import Any

Condition = tuple[str, str, Any]  # column, one of = < <= > >= in, value


def expression(field: Any, op: str, value: Any) -> Any:
    match op:
        case "=":
            return field == value
        case "<":
            return field < value
        case "<=":
            return field <= value
        case ">":
            return field > value
        case ">=":
            return field >= value
        case "in":
            return field.isin(list(value))
    raise ValueError(op)


def may_match(row: dict[str, Any], where: Sequence[Condition]) -> bool:
    """Whether a file may hold rows that satisfy all conditions; unknown statistics: it may."""
    for name, op, value in where:
        low = high = row.get(f"partition.{name}")
        if low is None:
            low, high = row.get(f"min.{name}"), row.get(f"max.{name}")
        if low is None or high is None:
            continue
        values = list(value) if op == "in" else [value]
        fits = {
            "=": any(low <= v <= high for v in values),
            "in": any(low <= v <= high for v in values),
            "<": low < values[0] if values else False,
            "<=": low <= values[0] if values else False,
            ">": high > values[0] if values else False,
            ">=": high >= values[0] if values else False,
        }[op]
        if not fits:
            return False
    return True
