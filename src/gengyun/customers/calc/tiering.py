"""Which tier a customer belongs to: an ordered table of rules, the first match wins.

A condition on a field whose value is unknown does not hold: an unknown ARR is not 0. The rule
without conditions stands last and takes the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Field = Literal["arr_minor", "seats", "edition", "industry", "region"]
Op = Literal["gte", "lt", "is", "in"]
NUMBERS: frozenset[str] = frozenset({"arr_minor", "seats"})
TEXTS: frozenset[str] = frozenset({"edition", "industry", "region"})
FIELDS = ("arr_minor", "seats", "edition", "industry", "region")


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    value: Any  # a number for gte and lt; a text for is; a tuple of texts for in


@dataclass(frozen=True)
class Rule:
    tier_id: int
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class RuleProblem:
    """What is wrong with one rule; `code` is stable, `rule` counts from 1."""

    rule: int
    code: str


def parse_conditions(raw: Iterable[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """From the stored JSON; raises `ValueError` with a problem code."""
    return tuple(_condition(item) for item in raw)


def _condition(item: Mapping[str, Any]) -> Condition:
    field, op, value = item.get("field"), item.get("op"), item.get("value")
    if field in NUMBERS and op in {"gte", "lt"}:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("value_not_a_number")
        return Condition(str(field), str(op), value)
    if field in TEXTS and op == "is":
        if not isinstance(value, str) or not value.strip():
            raise ValueError("value_missing")
        return Condition(str(field), "is", value.strip())
    if field in TEXTS and op == "in":
        texts = tuple(str(text).strip() for text in value or () if str(text).strip())
        if not texts or isinstance(value, str):
            raise ValueError("value_missing")
        return Condition(str(field), "in", texts)
    raise ValueError("condition_unknown")


def problems(rules: Sequence[Rule]) -> list[RuleProblem]:
    """A table must end in the rule without conditions, and have only that one of the kind."""
    found = [
        RuleProblem(place, "rule_after_default")
        for place, rule in enumerate(rules[:-1], start=1)
        if not rule.conditions
    ]
    if not rules or rules[-1].conditions:
        found.append(RuleProblem(len(rules), "default_missing"))
    return found


def tier_for(values: Mapping[str, Any], rules: Sequence[Rule]) -> int | None:
    """The tier of the first rule whose conditions all hold; `None` when there are no rules."""
    for rule in rules:
        if all(holds(condition, values.get(condition.field)) for condition in rule.conditions):
            return rule.tier_id
    return None


def holds(condition: Condition, value: Any) -> bool:
    if value is None or value == "":
        return False
    match condition.op:
        case "gte":
            return bool(value >= condition.value)
        case "lt":
            return bool(value < condition.value)
        case "is":
            return bool(str(value).casefold() == condition.value.casefold())
        case "in":
            return str(value).casefold() in {text.casefold() for text in condition.value}
    return False
