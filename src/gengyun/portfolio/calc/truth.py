"""Whether a condition holds for one customer: the definition that the database's answers follow.

Three values: True, False, None (unknown). A comparison with what is not known is unknown, and so is
its opposite: a customer without a score is neither below 50 nor "not below 50". Who is not True
does not enter, and the reason says which it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from gengyun.customers.calc.custom import Definition, Stored
from gengyun.portfolio.calc.custom_filters import is_custom, match_of
from gengyun.portfolio.calc.expressions import (
    All,
    AnyLeaf,
    AnyOf,
    Changed,
    Expr,
    Held,
    Leaf,
    Not,
    StepIs,
    fingerprint,
    leaves_of,
)
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.calc.nesting import SEGMENT
from gengyun.portfolio.calc.search import search_key

Truth = bool | None
TEXTS = frozenset({"industry", "region", "pace", "trend"})  # "": not known


@dataclass(frozen=True)
class FieldChange:
    value: str
    previous: str | None = None
    changed_on: date | None = None  # None: not since it is followed


@dataclass(frozen=True)
class Facts:
    """What is known of a customer on a day."""

    values: Mapping[str, Any]  # by the name of the filter's field; None or "" is unknown
    custom: Mapping[str, Sequence[Stored]] = field(default_factory=dict)
    held: Mapping[str, date] = field(default_factory=dict)  # fingerprint -> true since
    watched: Mapping[str, date] = field(default_factory=dict)  # fingerprint -> watched since
    changes: Mapping[str, FieldChange] = field(default_factory=dict)
    steps: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of the run


@dataclass(frozen=True)
class Said:
    """One leaf as it stands: what it asks, whether it holds, the value that says so."""

    leaf: AnyLeaf
    holds: Truth
    value: Any


Definitions = Mapping[str, Definition]


def truth(expr: Expr, facts: Facts, *, today: date, definitions: Definitions) -> Truth:
    if isinstance(expr, Not):
        found = truth(expr.part, facts, today=today, definitions=definitions)
        return None if found is None else not found
    if isinstance(expr, All | AnyOf):
        parts = (truth(p, facts, today=today, definitions=definitions) for p in expr.parts)
        return _both(parts) if isinstance(expr, All) else _either(parts)
    return leaf_truth(expr, facts, today=today, definitions=definitions)


def _both(parts: Iterator[Truth]) -> Truth:
    found: Truth = True
    for part in parts:
        if part is False:
            return False
        found = None if part is None else found
    return found


def _either(parts: Iterator[Truth]) -> Truth:
    found: Truth = False
    for part in parts:
        if part is True:
            return True
        found = None if part is None else found
    return found


def explain(expr: Expr, facts: Facts, *, today: date, definitions: Definitions) -> list[Said]:
    """Every leaf in the order it is written, for "why" and "why not"."""
    return [
        Said(
            leaf,
            leaf_truth(leaf, facts, today=today, definitions=definitions),
            value_of(leaf, facts, today=today),
        )
        for leaf in leaves_of(expr)
    ]


def value_of(leaf: AnyLeaf, facts: Facts, *, today: date) -> Any:
    """What the leaf was compared with."""
    if isinstance(leaf, Held):
        since = facts.held.get(fingerprint(leaf.of))
        return None if since is None else (today - since).days
    if isinstance(leaf, Changed):
        change = facts.changes.get(leaf.field)
        return None if change is None else [change.previous, change.value, change.changed_on]
    if isinstance(leaf, StepIs):
        return sorted(facts.steps.get(leaf.key, ()))
    name = leaf.filter.field
    if name == SEGMENT:
        return facts.values.get(name, {}).get(leaf.filter.value)
    if is_custom(name):
        return [one.text or one.day or one.number for one in facts.custom.get(name, ())] or None
    return facts.values.get(name)


def leaf_truth(leaf: AnyLeaf, facts: Facts, *, today: date, definitions: Definitions) -> Truth:
    if isinstance(leaf, Leaf):
        return filter_truth(leaf.filter, facts, today=today, definitions=definitions)
    if isinstance(leaf, Held):
        return _held(leaf, facts, today=today, definitions=definitions)
    if isinstance(leaf, Changed):
        return _changed(leaf, facts.changes.get(leaf.field), today)
    return leaf.state in facts.steps.get(leaf.key, ())


def _held(leaf: Held, facts: Facts, *, today: date, definitions: Definitions) -> Truth:
    """Unknown as long as it was true on the first day that anybody looked: it may be older."""
    now = leaf_truth(leaf.of, facts, today=today, definitions=definitions)
    if now is not True:
        return now
    mark = fingerprint(leaf.of)
    since, watched = facts.held.get(mark), facts.watched.get(mark)
    if since is None or watched is None:
        return None if watched is None else False  # it became true after the last look
    if since <= today - timedelta(days=leaf.days):
        return True
    return None if since <= watched else False


def _changed(leaf: Changed, found: FieldChange | None, today: date) -> Truth:
    if found is None:
        return None
    return (
        found.changed_on == today
        and leaf.before in (None, found.previous)
        and leaf.after in (None, found.value)
    )


def filter_truth(found: Filter, facts: Facts, *, today: date, definitions: Definitions) -> Truth:
    if is_custom(found.field):
        return _custom(found, facts, today, definitions)
    value = facts.values.get(found.field)
    return _BY_FIELD.get(found.field, _plain)(found, value, today)


def _plain(found: Filter, value: Any, _today: date) -> Truth:
    is_empty = value is None or (found.field in TEXTS and value == "")
    if found.op in {"none", "known"}:
        return is_empty == (found.op == "none")
    wanted = found.value
    if found.op == "not":
        return is_empty or value != wanted
    if is_empty:
        return None
    if found.field == "churn":  # asked in percent, kept as a share
        wanted = wanted / 100
    if found.op == "in":
        return value in wanted
    if found.op == "is":
        return bool(value == wanted)
    return bool(value >= wanted) if found.op == "gte" else bool(value < wanted)


def _segment(found: Filter, value: Mapping[int, bool] | None, _today: date) -> Truth:
    """Unknown where the segment's own condition cannot be read any more."""
    is_in = (value or {}).get(found.value)
    return None if is_in is None else is_in == (found.op == "is")


def _text(found: Filter, value: Any, _today: date) -> Truth:
    return search_key(found.value) in (value or "")


def _tag(found: Filter, value: Any, _today: date) -> Truth:
    return (found.value in (value or ())) == (found.op == "has")


def _need(found: Filter, value: Any, _today: date) -> Truth:
    return bool(value) if found.op == "any" else found.value in (value or ())


def _touch(found: Filter, value: date | None, today: date) -> Truth:
    """Nobody ever spoke with them: that is known, and older than anything."""
    if found.op == "none":
        return value is None
    is_within = value is not None and value >= today - timedelta(days=found.value)
    return is_within == (found.op == "within")


def _day(found: Filter, value: date | None, today: date) -> Truth:
    if found.op == "none":
        return value is None
    if value is None:
        # no next step is planned: that is known
        return False if found.field == "next_step" else None
    first, last = _span(found, today)
    return (first is None or first <= value) and (last is None or value <= last)


def _span(found: Filter, today: date) -> tuple[date | None, date | None]:
    """Which days are meant, both ends included; None: no end."""
    if found.op == "between":
        return date.fromisoformat(found.value[0]), date.fromisoformat(found.value[1])
    if found.op == "within":
        return today, today + timedelta(days=found.value)
    if found.op == "today":
        return today, today
    end = today  # overdue
    if found.op == "before":
        end = date.fromisoformat(found.value)
    elif found.op == "older":
        end = today - timedelta(days=found.value)
    return None, end - timedelta(days=1)


_BY_FIELD: dict[str, Callable[[Filter, Any, date], Truth]] = {
    "text": _text,
    "tag": _tag,
    "need": _need,
    "touch": _touch,
    "renews": _day,
    "next_step": _day,
    "last_event": _day,
    SEGMENT: _segment,
}


def _custom(found: Filter, facts: Facts, today: date, definitions: Definitions) -> Truth:
    """Unknown also where the field is gone: `form.check` refuses it before."""
    definition = definitions.get(found.field)
    if definition is None:
        return None
    rows = facts.custom.get(found.field, ())
    match = match_of(definition, found.op, found.value, today=today)
    fits = any(all(_fits(row, *one) for one in match.lookups.items()) for row in rows)
    if match.is_not:
        return not fits
    return fits if rows or found.op == "known" else None


def _fits(row: Stored, lookup: str, wanted: Any) -> bool:
    column, _, op = lookup.partition("__")
    value = getattr(row, column)
    if op == "isnull":
        return (value is None) is bool(wanted)
    if value is None:
        return False
    return bool(_COMPARE[op](value, wanted))


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lte": lambda value, wanted: value <= wanted,
    "lt": lambda value, wanted: value < wanted,
    "icontains": lambda value, wanted: wanted.lower() in value.lower(),
}
