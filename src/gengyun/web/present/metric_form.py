"""The metric editor's form: a definition as fields that a person edits, and back. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from gengyun.web.present.scorecard_form import number

SHAPES = (
    "count",
    "users",
    "active_days",
    "sum",
    "breadth",
    "days_since",
    "ratio",
    "change",
)
UNITS = {
    "count": "count",
    "users": "users",
    "active_days": "days",
    "sum": "amount",
    "breadth": "count",
    "days_since": "days",
    "ratio": "ratio",
    "change": "ratio",
}
FIELDS = (
    "key", "name_zh", "name_en", "description_zh", "description_en", "direction", "shape",
    "events", "property", "feature", "window_days", "numerator", "denominator", "base",
)  # fmt: skip
REQUIRED = "This is needed."


def draft_from_post(post: Mapping[str, str]) -> dict[str, str]:
    draft = {name: post.get(name, "").strip() for name in FIELDS}
    if draft["shape"] not in SHAPES:
        draft["shape"] = "count"
    if draft["direction"] not in {"up", "down"}:
        draft["direction"] = "up"
    return draft


def blank() -> dict[str, str]:
    return draft_from_post({"window_days": "30"})


def draft_from_metric(metric: Any) -> dict[str, str]:
    d: Mapping[str, Any] = metric.definition
    draft = blank() | {
        name: getattr(metric, name)
        for name in ("key", "name_zh", "name_en", "description_zh", "description_en", "direction")
    }
    if "ratio" in d:
        bottom = d["ratio"]["denominator"]
        kind = "metric" if "metric" in bottom else "field"
        draft |= {
            "shape": "ratio",
            "numerator": d["ratio"]["numerator"],
            "denominator": f"{kind}:{bottom[kind]}",
        }
    elif "change" in d:
        draft |= {"shape": "change", "base": d["change"]}
    else:
        draft |= {
            "shape": d["aggregate"],
            "events": "\n".join(d.get("events") or []),
            "property": d.get("property") or "",
            "feature": d.get("feature") or "",
            "window_days": str(d.get("window_days") or ""),
        }
    return draft


def definition_from_draft(draft: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The definition, and the fields that could not be read."""
    if draft["shape"] == "ratio":
        kind, _, name = draft["denominator"].partition(":")
        ratio = {"numerator": draft["numerator"], "denominator": {kind: name}}
        return {"ratio": ratio}, _needed(draft, "numerator", "denominator")
    if draft["shape"] == "change":
        return {"change": draft["base"]}, _needed(draft, "base")
    return _counted(draft)


def _needed(draft: Mapping[str, str], *fields: str) -> dict[str, str]:
    return {field: REQUIRED for field in fields if not draft[field]}


def _counted(draft: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Everything that is computed from events: aggregate, event names, window."""
    shape, errors = draft["shape"], {}
    definition: dict[str, Any] = {"aggregate": shape, "events": event_names(draft["events"])}
    if shape == "sum":
        definition["property"] = draft["property"]
        errors = _needed(draft, "property")
    if shape == "breadth" and draft["feature"]:
        definition["feature"] = draft["feature"]
    if shape != "days_since":
        days = number(draft["window_days"])
        if days is None or days != int(days) or not 1 <= days <= 3660:
            errors["window_days"] = "Enter a whole number of days from 1 to 3660."
        else:
            definition["window_days"] = int(days)
    return definition, errors


def event_names(text: str) -> list[str] | None:
    """One name a line; commas of either width work too. Nothing: all events."""
    names = [part.strip() for part in re.split(r"[\n,，、;；]", text)]
    return list(dict.fromkeys(name for name in names if name)) or None


def key_from(draft: Mapping[str, str]) -> str:
    """A key for a new metric when the person gave none."""
    if draft["key"]:
        return draft["key"]
    base = re.sub(r"[^a-z0-9]+", "_", draft["name_en"].lower()).strip("_")
    return base[:60]
