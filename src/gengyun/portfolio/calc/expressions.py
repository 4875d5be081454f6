"""The filter language as a tree: segments and SOPs put the filters of the list together with it.

    {"all": [..]}  {"any": [..]}  {"not": c}          an empty "all" holds for everybody
    {"field", "op", "value"}                          a filter of the list, see `calc.filters`
    {"changed": {"field", "from", "to"}}              on the day asked about; null is any value
    {"held": {"of": filter, "days": n}}               for at least n days without a break
    {"step": {"key", "is"}}                           inside an SOP: what became of a step before

It is data, never SQL. What is not understood is refused with its place.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gengyun.customers.calc.custom import PREFIX
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.filters import BadFilter, Filter, parse_filters

MAX_DEPTH, MAX_LEAVES, MAX_DAYS = 6, 40, 3_650
LONGEST_KEY, LONGEST_VALUE = 60, 200
DOTTED = "custom."  # as people write it
# what can be said to have changed: values that are few
CHANGING = ("owner", "tier", "stage", "pace", "band", "trend", "industry", "region")
# what became of a step: its own state, then what its task, touch or question came to
STEP_STATES = (
    "done", "skipped", "suppressed", "failed",
    "open", "dropped", "sent", "bounced", "answered", "not_answered",
)  # fmt: skip


class BadExpression(BadFilter):
    code = "bad_expression"


@dataclass(frozen=True)
class Leaf:
    filter: Filter

    def as_json(self) -> dict[str, Any]:
        return self.filter.as_json()


@dataclass(frozen=True)
class Changed:
    field: str
    before: str | None = None
    after: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"changed": {"field": self.field, "from": self.before, "to": self.after}}


@dataclass(frozen=True)
class Held:
    of: Leaf
    days: int

    def as_json(self) -> dict[str, Any]:
        return {"held": {"of": self.of.as_json(), "days": self.days}}


@dataclass(frozen=True)
class StepIs:
    key: str
    state: str

    def as_json(self) -> dict[str, Any]:
        return {"step": {"key": self.key, "is": self.state}}


@dataclass(frozen=True)
class All:
    parts: "tuple[Expr, ...]" = ()

    def as_json(self) -> dict[str, Any]:
        return {"all": [part.as_json() for part in self.parts]}


@dataclass(frozen=True)
class AnyOf:
    parts: "tuple[Expr, ...]" = ()

    def as_json(self) -> dict[str, Any]:
        return {"any": [part.as_json() for part in self.parts]}


@dataclass(frozen=True)
class Not:
    part: "Expr"

    def as_json(self) -> dict[str, Any]:
        return {"not": self.part.as_json()}


@dataclass(frozen=True)
class Literal:
    """A leaf that is to be true, or known to be false."""

    leaf: "AnyLeaf"
    is_true: bool


AnyLeaf = Leaf | Changed | Held | StepIs
Expr = All | AnyOf | Not | AnyLeaf
# without `not`: what every engine evaluates, with and / or alone
Normal = Literal | tuple[str, tuple["Normal", ...]]


def parse(
    raw: Any, *, depth: int = MAX_DEPTH, leaves: int = MAX_LEAVES, with_steps: bool = False
) -> Expr:
    """Check a tree that came from a browser, a file or the database.

    "me" is refused: what it means depends on who looks, and nobody looks at night.
    """
    found = _parse(raw, depth, with_steps)
    if sum(1 for _ in leaves_of(found)) > leaves:
        raise BadExpression(condition=f"> {leaves}")
    return found


def _parse(raw: Any, depth: int, with_steps: bool) -> Expr:
    if not isinstance(raw, Mapping) or depth < 1:
        raise _bad(raw)
    kinds = [name for name in ("not", *_NODES, *_LEAVES, "step") if name in raw]
    if not kinds:
        return Leaf(_filter(raw))
    kind = kinds[0]
    if len(raw) != 1 or (kind == "step" and not with_steps):
        raise _bad(raw)
    value = raw[kind]
    if kind == "not":
        return Not(_parse(value, depth - 1, with_steps))
    if kind in _NODES:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MAX_LEAVES:
            raise _bad(raw)
        return _NODES[kind](tuple(_parse(one, depth - 1, with_steps) for one in value))
    if not isinstance(value, Mapping):
        raise _bad(raw)
    return _step(value) if kind == "step" else _LEAVES[kind](value)


def _filter(raw: Mapping[str, Any]) -> Filter:
    item = dict(raw)
    field = item.get("field")
    if isinstance(field, str) and field.startswith(DOTTED):
        item["field"] = PREFIX + field.removeprefix(DOTTED)
    if set(item) - {"field", "op", "value"}:
        raise _bad(raw)
    try:
        found = parse_filters([item])[0]
    except TypeError:  # a field or operator that is a list: nothing that can be looked up
        raise _bad(raw) from None
    values = found.value if isinstance(found.value, list) else [found.value]
    if found.field == "owner" and "me" in values:
        raise _bad(raw)
    return found


def _changed(raw: Mapping[str, Any]) -> Changed:
    field = raw.get("field")
    if isinstance(field, str) and field.startswith(DOTTED):
        field = PREFIX + field.removeprefix(DOTTED)
    known = isinstance(field, str) and (field in CHANGING or is_custom(field))
    if not known or len(str(field)) > LONGEST_KEY or set(raw) - {"field", "from", "to"}:
        raise _bad(raw)
    return Changed(str(field), _value(raw.get("from")), _value(raw.get("to")))


def _value(raw: Any) -> str | None:
    if raw is None:
        return None
    if not isinstance(raw, str | int) or isinstance(raw, bool) or len(str(raw)) > LONGEST_VALUE:
        raise _bad(raw)
    return str(raw)


def _held(raw: Mapping[str, Any]) -> Held:
    days, of = raw.get("days"), raw.get("of")
    if isinstance(days, str) and days.isascii() and days.isdigit() and len(days) < 6:
        days = int(days)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
        raise _bad(raw)
    if not isinstance(of, Mapping) or set(raw) - {"of", "days"}:
        raise _bad(raw)
    return Held(Leaf(_filter(of)), days)


def _step(raw: Mapping[str, Any]) -> StepIs:
    key, state = raw.get("key"), raw.get("is")
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY or state not in STEP_STATES:
        raise _bad(raw)
    return StepIs(key, str(state))


def _bad(raw: Any) -> BadExpression:
    return BadExpression(condition=str(raw)[:60])


_NODES: dict[str, type[All] | type[AnyOf]] = {"all": All, "any": AnyOf}
_LEAVES: dict[str, Callable[[Mapping[str, Any]], AnyLeaf]] = {"changed": _changed, "held": _held}


def leaves_of(expr: Expr) -> Iterator[AnyLeaf]:
    """Every leaf, in the order it is written."""
    if isinstance(expr, All | AnyOf):
        for part in expr.parts:
            yield from leaves_of(part)
    elif isinstance(expr, Not):
        yield from leaves_of(expr.part)
    else:
        yield expr


def normal(expr: Expr, *, is_true: bool = True) -> Normal:
    """The same condition with every `not` moved to the leaves: ("all" | "any", parts) over
    literals.

    Unknown stays unknown under `not` (Kleene's logic): neither "score below 50" nor its opposite
    holds where there is no score. With literals that are true or not, and/or are enough for that.
    """
    if isinstance(expr, Not):
        return normal(expr.part, is_true=not is_true)
    if isinstance(expr, All | AnyOf):
        kind = "all" if isinstance(expr, All) == is_true else "any"
        return kind, tuple(normal(part, is_true=is_true) for part in expr.parts)
    return Literal(expr, is_true)


def literals_of(found: Normal) -> Iterator[Literal]:
    if isinstance(found, Literal):
        yield found
    else:
        for part in found[1]:
            yield from literals_of(part)


def fields_of(expr: Expr) -> set[str]:
    """The fields that it reads."""
    found = set()
    for leaf in leaves_of(expr):
        if isinstance(leaf, Changed):
            found.add(leaf.field)
        elif isinstance(leaf, Held):
            found.add(leaf.of.filter.field)
        elif isinstance(leaf, Leaf):
            found.add(leaf.filter.field)
    return found


def followed(expr: Expr) -> tuple[list[Leaf], set[str]]:
    """What has to be watched from day to day: conditions that are held, fields that change."""
    held = [leaf.of for leaf in leaves_of(expr) if isinstance(leaf, Held)]
    changed = {leaf.field for leaf in leaves_of(expr) if isinstance(leaf, Changed)}
    return held, changed


def fingerprint(expr: Expr) -> str:
    """The same for the same condition, whoever asks: 32 hexadecimal digits."""
    written = json.dumps(expr.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()[:32]
