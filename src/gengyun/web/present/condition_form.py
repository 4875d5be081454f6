"""Conditions as people edit them: rows of field, comparison and value, in groups of all or any.

A node of the editor is a group {"join", "is_not", "parts"} or a row {"how", "is_not", "field",
"op", "values", "days", "before", "after", "step", "state"}; `how`: now, held, changed, step. Rows
keep what was typed, also where it is wrong. `to_json` gives `portfolio.calc.expressions`. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop as _

from gengyun.portfolio.calc.expressions import parse
from gengyun.portfolio.calc.filters import WITHOUT_VALUE, BadFilter
from gengyun.web.numbers import is_number
from gengyun.web.present.nested import inner, many, one, rows

GONE = _("This field is not there any more.")
TOO_MUCH = _("There are more conditions, or deeper ones, than can be kept.")
NO_STEP = _("Choose a step and what became of it.")
NO_VALUE = _("A value is missing here.")
BAD_VALUE = _("This value does not fit.")
BAD_DAYS = _("Say for how many days, 1 to 3,650.")
NO_NUMBER = _("A number is needed here.")
STEP = "step:"
OUT = "out"  # "is none of": the opposite of `in`
Node = dict[str, Any]
DEEPEST = 6


@dataclass(frozen=True)
class Field:
    """What a condition can ask about: `kind` says which controls its row shows."""

    key: str
    label: str
    kind: str  # choice, single, number, days, text
    ops: list[tuple[str, str]]
    options: list[tuple[str, str]] = field(default_factory=list)
    unit: str = ""
    scale: int = 1  # of money: how many minor units the shown unit holds
    can_change: bool = False
    group: str = ""

    @property
    def known(self) -> set[str]:
        return {key for key, _name in self.options}

    def has_value(self, op: str) -> bool:
        return op not in WITHOUT_VALUE

    def default_op(self) -> str:
        return self.ops[0][0]


Fields = Mapping[str, Field]


def empty_group(join: str = "all") -> Node:
    return {"join": join, "is_not": False, "parts": []}


def new_row(fields: Fields, key: str = "") -> Node:
    found = fields.get(key) or next(iter(fields.values()))
    return _row(field=found.key, op=found.default_op())


def _row(**given: Any) -> Node:
    base: Node = {
        "how": "now", "is_not": False, "field": "", "op": "", "values": [], "days": "",
        "before": "", "after": "", "step": "", "state": "",
    }  # fmt: skip
    return base | given


def of_json(raw: Any, fields: Fields) -> Node:
    """The editor's group of a condition; what is not understood is shown as it stands."""
    node = _of_json(raw, fields) if isinstance(raw, Mapping) and raw else empty_group()
    return node if "parts" in node else {"join": "all", "is_not": False, "parts": [node]}


def _of_json(raw: Any, fields: Fields) -> Node:  # noqa: PLR0911 - one a kind of node
    if not isinstance(raw, Mapping):
        return _row()
    if "not" in raw:
        found = _of_json(raw["not"], fields)
        if found["is_not"] or found.get("op") == OUT:
            return {"join": "all", "is_not": True, "parts": [found]}
        if found.get("op") == "in" and found["how"] == "now":
            return found | {"op": OUT}
        return found | {"is_not": True}
    for join in ("all", "any"):
        if isinstance(raw.get(join), list):
            parts = [_of_json(part, fields) for part in raw[join]]
            return {"join": join, "is_not": False, "parts": parts}
    if isinstance(raw.get("held"), Mapping):
        held = raw["held"]
        row = _leaf(inner(held, "of"), fields)
        return row | {"how": "held", "days": str(held.get("days", ""))}
    if isinstance(raw.get("changed"), Mapping):
        changed = raw["changed"]
        return _row(
            how="changed",
            field=str(changed.get("field", "")),
            before=_text(changed.get("from")),
            after=_text(changed.get("to")),
        )
    if isinstance(raw.get("step"), Mapping):
        step = raw["step"]
        return _row(how="step", step=str(step.get("key", "")), state=str(step.get("is", "")))
    return _leaf(raw, fields)


def _leaf(raw: Mapping[str, Any], fields: Fields) -> Node:
    key, op, value = str(raw.get("field", "")), str(raw.get("op", "")), raw.get("value")
    values = value if isinstance(value, list) else [] if value is None else [value]
    found = fields.get(key)
    if op == "is" and found is not None and found.kind == "choice":
        op = "in"
    if op == "not" and found is not None and found.kind == "choice":
        op = OUT
    scale = found.scale if found is not None else 1
    return _row(field=key, op=op, values=[_shown(one_value, scale) for one_value in values])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _shown(value: Any, scale: int) -> str:
    if scale == 1:
        return f"{value:g}" if isinstance(value, float) else str(value)
    try:
        amount = int(value) / scale
    except (TypeError, ValueError):
        return str(value)
    return f"{amount:,.10g}".replace(",", "")


def of_post(tree: Mapping[str, Any], depth: int = DEEPEST) -> Node:
    """The group that a form sent."""
    parts = [
        of_post(part, depth - 1) if "join" in part and depth > 1 else _posted_row(part)
        for part in rows(tree, "parts")
        if "join" in part or "field" in part
    ]
    join = one(tree, "join")
    is_not = one(tree, "is_not") == "1"
    return {"join": join if join in {"all", "any"} else "all", "is_not": is_not, "parts": parts}


def _posted_row(tree: Mapping[str, Any]) -> Node:
    """A row may ask about a step of the SOP: `step:KEY` in the place of a field."""
    how, key = one(tree, "how"), one(tree, "field")
    step = key.removeprefix(STEP) if key.startswith(STEP) else ""
    if step or how == "step":
        how = "step" if step else "now"
    return _row(
        how=how if how in {"now", "held", "changed", "step"} else "now",
        is_not=one(tree, "is_not") == "1",
        field="" if step else key,
        op=one(tree, "op"),
        values=many(tree, "values"),
        days=one(tree, "days"),
        before=one(tree, "before"),
        after=one(tree, "after"),
        step=step,
        state=one(tree, "state"),
    )


def settle(node: Node, fields: Fields) -> Node:
    """After another field was chosen: its own comparison, and no value of the one before."""
    if "parts" in node:
        return node | {"parts": [settle(part, fields) for part in node["parts"]]}
    found = fields.get(node["field"])
    if found is None or node["how"] == "step":
        return node
    if node["how"] == "changed" and not found.can_change:
        node = node | {"how": "now"}
    if node["op"] not in dict(found.ops):
        node = node | {"op": found.default_op(), "values": []}
    if found.options:
        kept = [value for value in node["values"] if value in found.known]
        node = node | {"values": kept}
        for end in ("before", "after"):
            if node[end] not in found.known:
                node = node | {end: ""}
    return node


def to_json(
    node: Node, fields: Fields, *, name: str, with_steps: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    """(the condition, {name of a row: msgid of what is wrong with it})"""
    errors: dict[str, str] = {}
    raw = _group(node, fields, name, errors, with_steps=with_steps)
    if not errors:
        try:
            parse(raw, with_steps=with_steps)
        except BadFilter:
            errors[name] = TOO_MUCH
    return raw, errors


def _group(
    node: Node, fields: Fields, name: str, errors: dict[str, str], *, with_steps: bool
) -> dict[str, Any]:
    parts = [
        (_group if "parts" in part else _one)(
            part, fields, f"{name}.parts.{place}", errors, with_steps=with_steps
        )
        for place, part in enumerate(node["parts"])
    ]
    raw: dict[str, Any] = {node["join"]: parts}
    return {"not": raw} if node["is_not"] else raw


def _one(
    row: Node, fields: Fields, name: str, errors: dict[str, str], *, with_steps: bool
) -> dict[str, Any]:
    raw, is_not = _written(row, fields, name, errors)
    if name not in errors:
        try:
            parse(raw, with_steps=with_steps)
        except BadFilter:
            errors[name] = GONE if _is_gone(row, fields) else _problem(row)
    return {"not": raw} if is_not else raw


def _is_gone(row: Node, fields: Fields) -> bool:
    return row["how"] != "step" and row["field"] not in fields


def _problem(row: Node) -> str:
    if row["how"] == "step":
        return NO_STEP
    return BAD_VALUE if row["values"] else NO_VALUE


def _written(
    row: Node, fields: Fields, name: str, errors: dict[str, str]
) -> tuple[dict[str, Any], bool]:
    """The leaf, and whether its opposite is meant."""
    if row["how"] == "step":
        return {"step": {"key": row["step"], "is": row["state"]}}, row["is_not"]
    if _is_gone(row, fields):
        errors[name] = GONE
    if row["how"] == "changed":
        ends = {"from": row["before"] or None, "to": row["after"] or None}
        return {"changed": {"field": row["field"], **ends}}, row["is_not"]
    leaf, is_not = _filter(row, fields, name, errors)
    if row["how"] == "held":
        days = row["days"]
        if not is_number(days) or not 1 <= int(days) <= 3_650:
            errors[name] = BAD_DAYS
            return {"held": {"of": leaf, "days": days}}, is_not
        return {"held": {"of": leaf, "days": int(days)}}, is_not
    return leaf, is_not


def _filter(
    row: Node, fields: Fields, name: str, errors: dict[str, str]
) -> tuple[dict[str, Any], bool]:
    found, op, values = fields.get(row["field"]), row["op"], row["values"]
    is_not = row["is_not"] != (op == OUT)
    op = "in" if op == OUT else op
    if op in WITHOUT_VALUE:
        return {"field": row["field"], "op": op}, is_not
    if not values:
        errors.setdefault(name, NO_VALUE)
        return {"field": row["field"], "op": op, "value": None}, is_not
    if found is not None and found.kind == "number":
        values = [_amount(value, found.scale) for value in values]
        if any(value is None for value in values):
            errors.setdefault(name, NO_NUMBER)
    value: Any = values if op in {"in", "between"} else values[-1]
    return {"field": row["field"], "op": op, "value": value}, is_not


def _amount(text: str, scale: int) -> float | int | None:
    """A typed number; of money in the shown unit, kept in the minor one."""
    try:
        number = float(text.replace(",", "").replace("，", "").removesuffix("%"))
    except ValueError:
        return None
    if not abs(number) < 1e12:
        return None
    if scale == 1:
        return int(number) if number.is_integer() else number
    return round(number * scale)
