"""Buttons of the editors of segments and SOPs: `row@entry.when` adds a row to that group. Pure.

A name walks the draft as the fields of the form are named: `block.items.2.cases.0.when.parts.1`.
"""

from collections.abc import Callable
from typing import Any

from gengyun.web.present import condition_form as conditions
from gengyun.web.present import sop_tree
from gengyun.web.present.condition_form import Fields

Draft = dict[str, Any]


def act(draft: Draft, verb: str, fields: Fields, new_item: Callable[[str], Draft]) -> str:
    """Does what the button says to the draft; the name of what is new, "" where nothing is.

    A button for something that is not there does nothing: the page was older than the draft.
    """
    what, _at, name = verb.partition("@")
    what, _dot, kind = what.partition(".")
    done = _VERBS.get(what)
    if done is None:
        return ""
    try:
        return done(draft, name, kind, fields, new_item)
    except (KeyError, IndexError, TypeError, ValueError):
        return ""


def at(draft: Any, name: str) -> Any:
    """What stands under the name."""
    found = draft
    for part in name.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def _place(draft: Draft, name: str) -> tuple[list[Any], int]:
    above, _dot, last = name.rpartition(".")
    found = at(draft, above)
    if not isinstance(found, list) or not 0 <= int(last) < len(found):
        raise IndexError(name)
    return found, int(last)


def _row(draft: Draft, name: str, kind: str, fields: Fields, _new: Any) -> str:
    parts = at(draft, name)["parts"]
    parts.append(conditions.new_row(fields, kind))
    return f"{name}.parts.{len(parts) - 1}"


def _group(draft: Draft, name: str, _kind: str, fields: Fields, _new: Any) -> str:
    group = at(draft, name)
    join = "any" if group["join"] == "all" else "all"
    parts = [conditions.new_row(fields), conditions.new_row(fields)]
    group["parts"].append(conditions.empty_group(join) | {"parts": parts})
    return f"{name}.parts.{len(group['parts']) - 1}"


def _drop(draft: Draft, name: str, _kind: str, _fields: Fields, _new: Any) -> str:
    parts, place = _place(draft, name)
    del parts[place]
    return ""


def _add(draft: Draft, name: str, kind: str, _fields: Fields, new_item: Any) -> str:
    """At the end of a block, or behind an item."""
    found = at(draft, name)
    item = new_item(kind)
    if "items" in found:
        found["items"].append(item)
        return f"{name}.items.{len(found['items']) - 1}"
    items, place = _place(draft, name)
    items.insert(place + 1, item)
    return f"{name.rpartition('.')[0]}.{place + 1}"


def _move(by: int) -> Callable[..., str]:
    def move(draft: Draft, name: str, _kind: str, _fields: Fields, _new: Any) -> str:
        items, place = _place(draft, name)
        to = place + by
        if 0 <= to < len(items):
            items[place], items[to] = items[to], items[place]
        return ""

    return move


def _remove(draft: Draft, name: str, _kind: str, _fields: Fields, _new: Any) -> str:
    """The step goes, and with it what goes on at it."""
    items, place = _place(draft, name)
    gone = {one["key"] for one in sop_tree.items_of({"items": [items[place]]})}
    del items[place]
    forget(draft["block"], gone)
    return ""


def forget(block: Draft, gone: set[str]) -> None:
    if block.get("end") in gone:
        block["end"] = ""
    for item in block["items"]:
        for inner in sop_tree.blocks_of(item):
            forget(inner, gone)


def _case(draft: Draft, name: str, _kind: str, fields: Fields, _new: Any) -> str:
    cases = at(draft, name)["cases"]
    when = conditions.empty_group() | {"parts": [conditions.new_row(fields)]}
    cases.append({"when": when, "block": {"items": [], "end": ""}})
    return f"{name}.cases.{len(cases) - 1}"


def _uncase(draft: Draft, name: str, _kind: str, _fields: Fields, _new: Any) -> str:
    cases, place = _place(draft, name)
    if len(cases) > 1:
        gone = {one["key"] for one in sop_tree.items_of(cases[place]["block"])}
        del cases[place]
        forget(draft["block"], gone)
    return ""


_VERBS: dict[str, Callable[..., str]] = {
    "row": _row,
    "group": _group,
    "drop": _drop,
    "add": _add,
    "up": _move(-1),
    "down": _move(1),
    "remove": _remove,
    "case": _case,
    "uncase": _uncase,
}
