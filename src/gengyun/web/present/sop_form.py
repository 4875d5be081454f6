"""The form of an SOP as people edit it: texts as typed, conditions as rows, steps as a checklist.

`draft_of` opens what is kept, `draft_of_post` reads what a form sent; `sop_writing.form_of` writes
it. Names of the draft are names of form fields.
"""

from collections.abc import Mapping
from typing import Any

from gengyun.web.present import condition_form as conditions
from gengyun.web.present import sop_tree
from gengyun.web.present.condition_form import Fields
from gengyun.web.present.nested import inner, many, nested, one, rows
from gengyun.web.words import is_zh

Draft = dict[str, Any]
KINDS = ("task", "message", "wait", "branch", "survey", "set", "alert", "hand", "note", "webhook")
# kind -> names of its texts
TEXTS: dict[str, tuple[str, ...]] = {
    "task": ("role", "body", "due_working_days"),
    "message": ("channel", "category", "mode", "approver", "answer_days", "to", "zh_subject",
                "zh_body", "en_subject", "en_body"),
    "survey": ("survey", "to"),
    "wait": ("wait", "n", "timeout_days", "date_field", "date_days", "date_side"),
    "branch": (),
    "set": ("field", "value"),
    "alert": ("severity", "cause"),
    "webhook": ("channel",),
    "note": ("text",),
    "hand": ("role", "text"),
}  # fmt: skip
WAITS = ("working_days", "days", "until", "date")
DEFAULTS: dict[str, dict[str, str]] = {
    "task": {"role": "csm", "due_working_days": "2"},
    "message": {"channel": "email", "category": "service", "mode": "draft", "to": "champion",
                "approver": "csm", "answer_days": "7"},
    "wait": {"wait": "working_days", "n": "5", "timeout_days": "7", "date_days": "30",
             "date_field": "renews_on", "date_side": "before"},
    "survey": {"to": "champion"},
    "alert": {"severity": "3"},
    "hand": {"role": "leader"},
}  # fmt: skip
# texts that may be kept in both languages: a step copied from the library has both
BOTH = ("title", "body", "text")
ENTRY = ("kind", "event", "every", "date_field", "date_days", "date_side")
MOST_KEYS = 200


def blank(fields: Fields) -> Draft:
    """A new SOP: enters when something becomes true, one task."""
    return draft_of({}, fields)


def draft_of(form: Mapping[str, Any], fields: Fields) -> Draft:
    entry, outcome = inner(form, "entry"), inner(form, "outcome")
    reentry = inner(form, "reentry")
    return {
        "entry": {
            "kind": _text(entry.get("kind") or "condition"),
            "event": _text(entry.get("event")),
            "every": _text(entry.get("every") or "once"),
            "backfill": entry.get("backfill", True) is not False,
            "when": conditions.of_json(entry.get("when"), fields),
            **_date(inner(entry, "date"), 90),
        },
        "not_while_in": [_text(key) for key in form.get("not_while_in") or ()],
        "identity": _text(form.get("identity") or "customer"),
        "contact_role": _text(form.get("contact_role") or "champion"),
        "reentry": {
            "kind": _text(reentry.get("kind") or "never"),
            "days": _text(reentry.get("days") or 90),
        },
        "exit": conditions.of_json(form.get("exit"), fields),
        "on_lost": _text(form.get("on_lost") or "stay"),
        "goal": conditions.of_json(form.get("goal"), fields),
        "outcome": {
            "kind": _text(outcome.get("kind")),
            "key": _text(outcome.get("key")),
            "window_days": _text(outcome.get("window_days") or 90),
            "lower": outcome.get("higher_is_better", True) is False,
        },
        "holdout": _share(form.get("holdout")),
        "cost": _yuan(form.get("cost_minor")),
        "block": _block(sop_tree.to_tree(form.get("first"), form.get("steps") or []), fields),
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _share(value: Any) -> str:
    return f"{round(float(value) * 100, 4):g}" if value else "0"


def _yuan(minor: Any) -> str:
    return f"{int(minor) / 100:.10g}" if minor else ""


def _date(date: Mapping[str, Any], days: int) -> dict[str, str]:
    offset = date.get("offset_days", -days)
    offset = offset if isinstance(offset, int) else -days
    return {
        "date_field": _text(date.get("field") or "renews_on"),
        "date_days": str(abs(offset)),
        "date_side": "after" if offset > 0 else "before",
    }


def _block(block: Mapping[str, Any], fields: Fields) -> Draft:
    return {
        "items": [_item(item, fields) for item in block["items"]],
        "end": block["end"],
    }


def _item(step: Mapping[str, Any], fields: Fields) -> Draft:
    kind = _text(step.get("kind"))
    item = new_item(kind, _text(step.get("key")))
    item["bmat"] = [letter for letter in "mat" if letter in _text(step.get("bmat"))]
    for name in ("title", *TEXTS.get(kind, ())):
        if name in step:
            item |= _both(name, step[name])
    if kind == "message":
        for language in ("zh", "en"):
            text = inner(inner(step, "template"), language)
            item[f"{language}_subject"] = _text(text.get("subject"))
            item[f"{language}_body"] = _text(text.get("body"))
    if kind == "wait":
        item |= _wait(step, fields)
    if kind == "branch":
        item["cases"] = [
            {
                "when": conditions.of_json(case.get("when"), fields),
                "block": _block(case["block"], fields),
            }
            for case in step.get("cases") or ()
        ]
        item["otherwise"] = _block(step["otherwise"], fields)
    return item


def _both(name: str, value: Any) -> Draft:
    """A text in the reader's language; `NAME_alt` holds it in the other one."""
    if not isinstance(value, Mapping):
        return {name: _text(value)}
    first, second = ("zh", "en") if is_zh() else ("en", "zh")
    mine, other = _text(value.get(first)), _text(value.get(second))
    return {name: mine or other, f"{name}_alt": other if mine and other != mine else ""}


def _wait(step: Mapping[str, Any], fields: Fields) -> Draft:
    found: Draft = {}
    for kind in ("days", "working_days"):
        if step.get(kind) is not None:
            found |= {"wait": kind, "n": _text(step[kind])}
    if step.get("date") is not None:
        found |= {"wait": "date", **_date(inner(step, "date"), 30)}
    if step.get("until") is not None:
        found["wait"] = "until"
        found["until"] = conditions.of_json(step["until"], fields)
    found["late"] = _block(step.get("late") or {"items": [], "end": ""}, fields)
    return found


def new_item(kind: str, key: str = "") -> Draft:
    """A step as it is when it is added; who adds it gives it a key."""
    kind = kind if kind in TEXTS else "note"
    item: Draft = {"key": key, "kind": kind, "title": "", "bmat": []}
    item |= {f"{name}_alt": "" for name in BOTH}
    item |= dict.fromkeys(TEXTS[kind], "") | DEFAULTS.get(kind, {})
    if kind == "wait":
        item |= {"until": conditions.empty_group(), "late": {"items": [], "end": ""}}
    if kind == "branch":
        first = {"when": conditions.empty_group(), "block": {"items": [], "end": ""}}
        item |= {"cases": [first], "otherwise": {"items": [], "end": ""}}
    return item


def free_key(draft: Draft, kind: str) -> str:
    taken = {item["key"] for item in sop_tree.items_of(draft["block"])}
    return next(key for n in range(1, MOST_KEYS + 2) if (key := f"{kind}_{n}") not in taken)


def draft_of_post(post: Any) -> Draft:
    tree = nested(post)
    entry, outcome, reentry = (inner(tree, name) for name in ("entry", "outcome", "reentry"))
    return {
        "entry": {name: one(entry, name) for name in ENTRY}
        | {
            "backfill": one(entry, "backfill") == "1",
            "when": conditions.of_post(inner(entry, "when")),
        },
        "not_while_in": many(tree, "not_while_in"),
        "identity": one(tree, "identity"),
        "contact_role": one(tree, "contact_role"),
        "reentry": {name: one(reentry, name) for name in ("kind", "days")},
        "exit": conditions.of_post(inner(tree, "exit")),
        "on_lost": one(tree, "on_lost"),
        "goal": conditions.of_post(inner(tree, "goal")),
        "outcome": {name: one(outcome, name) for name in ("kind", "key", "window_days")}
        | {"lower": one(outcome, "lower") == "1"},
        "holdout": one(tree, "holdout"),
        "cost": one(tree, "cost"),
        "block": _posted_block(inner(tree, "block")),
    }


def _posted_block(tree: Mapping[str, Any], depth: int = 8) -> Draft:
    items = [_posted_item(row, depth) for row in rows(tree, "items")] if depth else []
    return {"items": items, "end": one(tree, "end")}


def _posted_item(tree: Mapping[str, Any], depth: int) -> Draft:
    item = new_item(one(tree, "kind"), one(tree, "key")[:40])
    for name in ("title", *(f"{name}_alt" for name in BOTH), *TEXTS[item["kind"]]):
        item[name] = one(tree, name)
    item["bmat"] = [letter for letter in many(tree, "bmat") if letter in ("m", "a", "t")]
    if item["kind"] == "message" and not item["approver"]:
        # not asked for as long as nobody's yes is needed
        item |= {name: DEFAULTS["message"][name] for name in ("approver", "answer_days")}
    if item["kind"] == "wait":
        if "until" in tree:
            item["until"] = conditions.of_post(inner(tree, "until"))
        item["late"] = _posted_block(inner(tree, "late"), depth - 1)
    if item["kind"] == "branch":
        item["cases"] = [
            {
                "when": conditions.of_post(inner(case, "when")),
                "block": _posted_block(inner(case, "block"), depth - 1),
            }
            for case in rows(tree, "cases")
        ] or item["cases"]
        item["otherwise"] = _posted_block(inner(tree, "otherwise"), depth - 1)
    return item


def settle(draft: Draft, fields: Fields) -> Draft:
    """Rows whose field was changed get a comparison that it knows."""
    draft["entry"]["when"] = conditions.settle(draft["entry"]["when"], fields)
    for name in ("exit", "goal"):
        draft[name] = conditions.settle(draft[name], fields)
    for item in sop_tree.items_of(draft["block"]):
        if "until" in item:
            item["until"] = conditions.settle(item["until"], fields)
        for case in item.get("cases", ()):
            case["when"] = conditions.settle(case["when"], fields)
    return draft
