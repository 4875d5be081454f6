"""The form of a custom field as it is being written: names, flags, and the table of choices."""

from typing import Any

from gengyun.web.numbers import is_number

TEXTS = ("name_zh", "name_en", "help_zh", "help_en", "key", "kind")
FLAGS = ("is_required", "keeps_history")
EMPTY = {"key": "", "name_zh": "", "name_en": ""}
EMPTY_ROWS = 3  # of a new list


def draft_of(field: Any) -> dict[str, Any]:
    draft = {name: getattr(field, name) for name in (*TEXTS, *FLAGS)}
    draft["options"] = [
        {name: option[name] for name in EMPTY}
        for option in field.options
        if not option["is_retired"]
    ]
    return draft


def new_draft() -> dict[str, Any]:
    return {
        **dict.fromkeys(TEXTS, ""),
        **dict.fromkeys(FLAGS, False),
        "kind": "text",
        "options": [dict(EMPTY) for _ in range(EMPTY_ROWS)],
    }


def draft_from_post(post: Any) -> dict[str, Any]:
    draft: dict[str, Any] = {name: post.get(name, "").strip() for name in TEXTS}
    draft |= {name: post.get(name) == "1" for name in FLAGS}
    rows = zip(
        post.getlist("option.key"),
        post.getlist("option.zh"),
        post.getlist("option.en"),
        strict=False,
    )
    draft["options"] = [
        {"key": key, "name_zh": zh.strip(), "name_en": en.strip()} for key, zh, en in rows
    ]
    return draft


def apply_step(draft: dict[str, Any], step: str) -> dict[str, Any]:
    """add_option, up_option.N, drop_option.N; anything else changes nothing."""
    name, _dot, place = step.partition(".")
    rows = list(draft["options"])
    at = int(place) if is_number(place) else -1
    if name == "add_option":
        rows.append(dict(EMPTY))
    elif name == "up_option" and 0 < at < len(rows):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif name == "drop_option" and 0 <= at < len(rows):
        rows.pop(at)
    return draft | {"options": rows}


def values_of(draft: dict[str, Any]) -> dict[str, Any]:
    """What the action takes."""
    names = ("name_zh", "name_en", "help_zh", "help_en", *FLAGS, "options")
    return {name: draft[name] for name in names}
