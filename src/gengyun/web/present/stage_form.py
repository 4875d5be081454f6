"""The criteria and goals of a stage as editable lines, and back. Pure.

Amounts are typed in ten thousands (万) in Chinese and in thousands in English, shares in per cent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gengyun.customers.calc.journeys import Item, parse_items
from gengyun.customers.queries.facts import Fact
from gengyun.web.numbers import is_number
from gengyun.web.present.scorecard_form import NOT_A_NUMBER, REQUIRED, number, shown
from gengyun.web.present.tier_form import fen_per_unit

LISTS = ("process_kpi", "outcome_kpi", "entry", "exit")
PARTS = ("fact", "op", "value", "check", "zh", "en")
_NAME = re.compile(rf"({'|'.join(LISTS)})\.(\d{{1,2}})\.({'|'.join(PARTS)})")
Line = dict[str, str]
Draft = dict[str, list[Line]]


@dataclass
class Read:
    """What came out of a draft: the JSON of each list, and what could not be read."""

    raw: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def items(self) -> dict[str, tuple[Item, ...]]:
        return {name: parse_items(raw) for name, raw in self.raw.items()}


def ops_of(fact: Fact | None) -> tuple[str, ...]:
    kind = fact.kind if fact else "number"
    return {"text": ("in",), "bool": ("is",)}.get(kind, ("gte", "lt"))


def draft_of(stage: Any, facts: Mapping[str, Fact], *, zh: bool) -> Draft:
    return {name: [_line(entry, facts, zh=zh) for entry in getattr(stage, name)] for name in LISTS}


def _line(entry: Mapping[str, Any], facts: Mapping[str, Fact], *, zh: bool) -> Line:
    if "check" in entry:
        return {"check": entry["check"], "zh": entry["zh"], "en": entry["en"]}
    fact, value = facts.get(entry["fact"]), entry.get("value")
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = ("、" if zh else ", ").join(value)
    elif isinstance(value, str) or value is None:
        text = value or ""
    else:
        text = shown(value / _unit(fact, zh=zh))
    return {"fact": entry["fact"], "op": entry["op"], "value": text}


def _unit(fact: Fact | None, *, zh: bool) -> float:
    """What one typed number stands for."""
    kind = fact.kind if fact else "number"
    return {"money": fen_per_unit(zh=zh), "share": 0.01}.get(kind, 1)


def draft_of_post(post: Mapping[str, str], facts: Mapping[str, Fact]) -> Draft:
    lines: dict[str, dict[int, Line]] = {name: {} for name in LISTS}
    for name in post:
        if match := _NAME.fullmatch(name):
            lines[match[1]].setdefault(int(match[2]), {})[match[3]] = post[name].strip()
    return {
        name: [_fitting(found[place], facts) for place in sorted(found)]
        for name, found in lines.items()
    }


def _fitting(line: Line, facts: Mapping[str, Fact]) -> Line:
    """The comparison that goes with the fact, after the fact was changed."""
    if "check" in line or "zh" in line:
        return {"check": line.get("check", ""), "zh": line.get("zh", ""), "en": line.get("en", "")}
    allowed = ops_of(facts.get(line.get("fact", "")))
    op = line.get("op", "")
    value = line.get("value", "")
    if allowed == ("is",) and value not in {"yes", "no"}:
        value = "yes"
    return {"fact": line.get("fact", ""), "op": op if op in allowed else allowed[0], "value": value}


def apply_step(draft: Draft, step: str, facts: Mapping[str, Fact]) -> Draft:
    """add_fact.LIST, add_check.LIST, drop.LIST.PLACE"""
    verb, _, rest = step.partition(".")
    name, _, place = rest.partition(".")
    if name not in draft:
        return draft
    lines = draft[name]
    if verb == "add_fact":
        fact = next(iter(facts), "")
        lines.append({"fact": fact, "op": ops_of(facts.get(fact))[0], "value": ""})
    elif verb == "add_check":
        taken = {line.get("check") for each in draft.values() for line in each}
        number_ = 1
        while f"check-{number_}" in taken:
            number_ += 1
        lines.append({"check": f"check-{number_}", "zh": "", "en": ""})
    elif verb == "drop" and is_number(place) and int(place) < len(lines):
        del lines[int(place)]  # two tabs: else the line is already gone
    return draft


def read(draft: Draft, facts: Mapping[str, Fact], *, zh: bool) -> Read:
    found = Read()
    for name, lines in draft.items():
        found.raw[name] = []
        for place, line in enumerate(lines):
            where = f"{name}.{place}"
            entry = (
                _read_check(line, where, found.errors)
                if "check" in line
                else _read_fact(line, where, found.errors, facts, zh=zh)
            )
            found.raw[name].append(entry)
    return found


def _read_check(line: Line, where: str, errors: dict[str, str]) -> dict[str, Any]:
    for part in ("zh", "en"):
        if not line[part]:
            errors[f"{where}.{part}"] = REQUIRED
    return {"check": line["check"], "zh": line["zh"][:80], "en": line["en"][:80]}


def _read_fact(
    line: Line, where: str, errors: dict[str, str], facts: Mapping[str, Fact], *, zh: bool
) -> dict[str, Any]:
    fact, text = facts.get(line["fact"]), line["value"]
    value: Any
    if line["op"] == "is":
        value = text == "yes"
    elif line["op"] == "in":
        value = [part.strip() for part in re.split(r"[,，、;；\n]", text) if part.strip()]
        if not value:
            errors[f"{where}.value"] = REQUIRED
    else:
        value = number(text)
        if value is None:
            errors[f"{where}.value"] = NOT_A_NUMBER if text else REQUIRED
            value = 0
        value = _stored(value * _unit(fact, zh=zh))
    return {"fact": line["fact"], "op": line["op"], "value": value}


def _stored(value: float) -> int | float:
    rounded = round(value, 6)
    return int(rounded) if float(rounded).is_integer() else rounded
