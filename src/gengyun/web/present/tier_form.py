"""The tier rules as an editable table of sentences, and back. Pure.

Amounts are typed in ten thousands (万) in Chinese and in thousands in English; stored in fen.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gengyun.web.numbers import is_number
from gengyun.web.present.scorecard_form import NOT_A_NUMBER, REQUIRED, number, shown

Draft = list[dict[str, Any]]
NUMBERS = ("arr_minor", "seats")
TEXTS = ("edition", "industry", "region")
_RULE = re.compile(r"rule\.(\d{1,3})\.tier")
_CONDITION = re.compile(r"rule\.(\d{1,3})\.if\.(\d{1,3})\.(field|op|value)")


def fen_per_unit(*, zh: bool) -> int:
    return 1_000_000 if zh else 100_000


def draft_from_rules(rules: Sequence[Any], *, zh: bool) -> Draft:
    return [
        {
            "tier": str(rule.tier_id),
            "conditions": [_condition_draft(c, zh=zh) for c in rule.conditions],
        }
        for rule in rules
    ]


def _condition_draft(condition: Mapping[str, Any], *, zh: bool) -> dict[str, str]:
    value = condition["value"]
    if condition["field"] == "arr_minor":
        text = shown(value / fen_per_unit(zh=zh))
    elif isinstance(value, list):
        text = ("、" if zh else ", ").join(value)
    else:
        text = str(value)
    op = "in" if condition["op"] == "is" else condition["op"]
    return {"field": condition["field"], "op": op, "value": text}


def draft_from_post(post: Mapping[str, str]) -> Draft:
    """Rules close up and the order of the page is the order that counts."""
    rules: dict[int, dict[str, Any]] = {}
    for name in post:
        if match := _RULE.fullmatch(name):
            rules.setdefault(int(match[1]), {"conditions": {}})["tier"] = post[name]
        elif match := _CONDITION.fullmatch(name):
            rule, place, field = int(match[1]), int(match[2]), match[3]
            conditions = rules.setdefault(rule, {"conditions": {}})["conditions"]
            conditions.setdefault(place, {"field": "", "op": "", "value": ""})[field] = post[name]
    return [
        {
            "tier": rules[r].get("tier", ""),
            "conditions": [
                _fitting(rules[r]["conditions"][c]) for c in sorted(rules[r]["conditions"])
            ],
        }
        for r in sorted(rules)
    ]


def _fitting(condition: dict[str, str]) -> dict[str, str]:
    """The comparison that goes with the field, after the field was changed."""
    if condition["field"] in NUMBERS:
        op = condition["op"] if condition["op"] in {"gte", "lt"} else "gte"
    else:
        op = "in"
    return condition | {"op": op}


def apply_step(draft: Draft, step: str, tier: str) -> Draft:
    verb, *rest = step.split(".")
    at = [int(part) for part in rest if is_number(part)]
    try:
        match verb:
            case "add_rule":
                # above the last rule, which takes the rest
                new = {"field": "arr_minor", "op": "gte", "value": ""}
                place = max(len(draft) - 1, 0)
                draft.insert(place, {"tier": tier, "conditions": [new]})
            case "drop_rule":
                del draft[at[0]]
            case "up" if at[0] > 0:
                draft[at[0] - 1], draft[at[0]] = draft[at[0]], draft[at[0] - 1]
            case "add_if":
                new = {"field": "industry", "op": "in", "value": ""}
                draft[at[0]]["conditions"].append(new)
            case "drop_if":
                del draft[at[0]]["conditions"][at[1]]
    except IndexError:
        pass  # two tabs: the row is already gone
    return draft


def rules_from_draft(draft: Draft, *, zh: bool) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """[{"tier", "conditions"}] in order, and the fields that could not be read."""
    errors: dict[str, str] = {}
    rules = []
    for r, rule in enumerate(draft):
        if not is_number(rule["tier"]):
            errors[f"rule.{r}.tier"] = REQUIRED
            continue
        conditions = [
            _condition(f"rule.{r}.if.{c}.value", condition, errors, zh=zh)
            for c, condition in enumerate(rule["conditions"])
        ]
        rules.append({"tier": int(rule["tier"]), "conditions": conditions})
    return rules, errors


def _condition(
    name: str, condition: Mapping[str, str], errors: dict[str, str], *, zh: bool
) -> dict[str, Any]:
    field, text = condition["field"], condition["value"].strip()
    if field in TEXTS:
        values = [part.strip() for part in re.split(r"[,，、;；\n]", text) if part.strip()]
        if not values:
            errors[name] = REQUIRED
        return {"field": field, "op": "in", "value": values}
    value = number(text)
    if value is None:
        errors[name] = NOT_A_NUMBER if text else REQUIRED
        value = 0
    if field == "arr_minor":
        value *= fen_per_unit(zh=zh)
    return {"field": field, "op": condition["op"], "value": round(value)}
