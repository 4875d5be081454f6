"""The metric editor's form: a definition as fields that a person edits, and back. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from gengyun.usage.calc.definition import ADDITIVE, WITHOUT_WINDOW
from gengyun.web.present.scorecard_form import number

UNITS = {
    "count": "count",
    "users": "users",
    "active_days": "days",
    "sum": "amount",
    "breadth": "count",
    "days_since": "days",
    "days_without": "days",
    "days": "days",
    "total": "count",
    "ratio": "ratio",
    "change": "ratio",
}
SHAPES = tuple(UNITS)
FIELDS = (
    "key", "name_zh", "name_en", "description_zh", "description_en", "direction", "shape",
    "events", "property", "feature", "window_days", "if_none", "per_days", "fewest_days",
    "day", "numerator", "denominator", "unknown_is_zero", "base", "change_days",
)  # fmt: skip
DAY_COUNTS = ("window_days", "per_days", "fewest_days")
REQUIRED = "This is needed."
NOT_DAYS = "Enter a whole number of days from 1 to 3660."


def draft_from_post(post: Any) -> dict[str, str]:
    """`post`: a QueryDict, or a dict of texts. Several `parts` become one a line."""
    draft = {name: post.get(name, "").strip() for name in FIELDS}
    several = post.getlist("parts") if hasattr(post, "getlist") else [post.get("parts", "")]
    draft["parts"] = "\n".join(key for key in several if key)
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
    if "days" in d:
        ((direction, field),) = d["days"].items()
        draft |= {"shape": "days", "day": f"{direction}:{field}"}
    elif "total" in d:
        draft |= {"shape": "total", "parts": "\n".join(d["total"])}
    elif "ratio" in d:
        bottom = d["ratio"]["denominator"]
        kind = "metric" if "metric" in bottom else "field"
        draft |= {
            "shape": "ratio",
            "numerator": d["ratio"]["numerator"],
            "denominator": f"{kind}:{bottom[kind]}",
            "unknown_is_zero": "1" if d["ratio"].get("unknown_is_zero") else "",
        }
    elif "change" in d:
        body = d["change"] if isinstance(d["change"], dict) else {"metric": d["change"]}
        days = str(body.get("days") or "")
        draft |= {"shape": "change", "base": body["metric"], "change_days": days}
    else:
        draft |= {
            "shape": d["aggregate"],
            "events": "\n".join(d.get("events") or []),
            "property": d.get("property") or "",
            "feature": d.get("feature") or "",
            "if_none": "unknown" if d.get("if_none") == "unknown" else "",
            **{name: str(d.get(name) or "") for name in DAY_COUNTS},
        }
    return draft


def definition_from_draft(draft: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The definition, and the fields that could not be read."""
    match draft["shape"]:
        case "days":
            direction, _, field = draft["day"].partition(":")
            return {"days": {direction: field}}, _needed(draft, "day")
        case "total":
            return {"total": draft["parts"].split("\n")}, _needed(draft, "parts")
        case "ratio":
            kind, _, name = draft["denominator"].partition(":")
            ratio: dict[str, Any] = {"numerator": draft["numerator"], "denominator": {kind: name}}
            if draft["unknown_is_zero"]:
                ratio["unknown_is_zero"] = True
            return {"ratio": ratio}, _needed(draft, "numerator", "denominator")
        case "change":
            return _changed(draft)
    return _counted(draft)


def _changed(draft: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    errors = _needed(draft, "base")
    if not draft["change_days"]:
        return {"change": draft["base"]}, errors
    days = _whole(draft["change_days"])
    if days is None:
        errors["change_days"] = NOT_DAYS
    return {"change": {"metric": draft["base"], "days": days}}, errors


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
    if shape in WITHOUT_WINDOW:
        return definition, errors
    for name in DAY_COUNTS if shape in ADDITIVE else DAY_COUNTS[:1]:
        if draft[name] or name == "window_days":
            days = _whole(draft[name])
            if days is None:
                errors[name] = NOT_DAYS
            else:
                definition[name] = days
    if draft["if_none"]:
        definition["if_none"] = "unknown"
    return definition, errors


def _whole(text: str) -> int | None:
    days = number(text)
    return int(days) if days is not None and days == int(days) and 1 <= days <= 3660 else None


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
