"""Where a fault of an SOP's form stands in the editor: "steps.call.template.zh.body" is the field
"block.items.0.zh_body". Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

# last parts of a place -> name of the field inside the step
_INSIDE = {
    "working_days": "n",
    "days": "n",
    "date.field": "date_field",
    "date.offset_days": "date_days",
    "kind": "title",
    "cases": "cases.0.when",
}
_TOP = {
    "entry.date.field": "entry.date_field",
    "entry.date.offset_days": "entry.date_days",
    "cost_minor": "cost",
    "reentry": "reentry.days",
    "steps": "block",
    "outcome": "outcome",
}
LANGUAGES = ("zh", "en")


def names_of(draft: Mapping[str, Any]) -> dict[str, str]:
    """{key of a step: name of its item in the form}"""
    return dict(_names(draft["block"], "block"))


def _names(block: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for place, item in enumerate(block["items"]):
        at = f"{name}.items.{place}"
        yield item["key"], at
        for number, case in enumerate(item.get("cases") or ()):
            yield from _names(case["block"], f"{at}.cases.{number}.block")
        for inner in ("otherwise", "late"):
            if isinstance(item.get(inner), dict):
                yield from _names(item[inner], f"{at}.{inner}")


def step_of(path: str) -> str:
    """The key of the step that a place lies in; "" outside the steps."""
    parts = path.split(".")
    return parts[1] if parts[0] == "steps" and len(parts) > 1 else ""


def field_of(path: str, names: Mapping[str, str]) -> str:
    key = step_of(path)
    if not key or key not in names:
        return _TOP.get(path) or (path.rpartition(".")[0] if path.startswith("not_") else path)
    inside = path.removeprefix(f"steps.{key}").removeprefix(".")
    parts = inside.split(".")
    if parts[0] == "template" and len(parts) > 2:
        return f"{names[key]}.{parts[1]}_{parts[2]}"
    if parts[-1] in LANGUAGES and len(parts) > 1:
        inside = ".".join(parts[:-1])
    return f"{names[key]}.{_INSIDE.get(inside, inside or 'title')}"
