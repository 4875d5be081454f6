"""Forms whose fields nest: `entry.when.parts.0.field` as dictionaries and lists. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from gengyun.kernel.texts import keepable

DEEPEST = 60  # parts of a name: far more than an editor nests


class Post(Protocol):
    def getlist(self, key: str) -> list[str]: ...

    def __iter__(self) -> Any: ...


def nested(post: Post) -> dict[str, Any]:
    """{"a": {"b": [..]}}: leaves are lists of texts; numbered children become lists in order.

    A name that is a leaf for one field and a parent for another stays a parent.
    """
    tree: dict[str, Any] = {}
    for name in post:
        parts = name.split(".")
        if len(parts) > DEEPEST:
            continue
        at = tree
        for part in parts[:-1]:
            inner = at.get(part)
            if not isinstance(inner, dict):
                inner = at[part] = {}
            at = inner
        if not isinstance(at.get(parts[-1]), dict):
            at[parts[-1]] = [clean(text) for text in post.getlist(name)]
    return {key: _ordered(value) for key, value in tree.items()}


def _ordered(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _ordered(one) for key, one in value.items()}
    if inner and all(_is_place(key) for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _is_place(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 4


def clean(text: str) -> str:
    """Without what no database keeps: NUL, halves of characters."""
    return keepable(text).strip()


def one(tree: Any, name: str, default: str = "") -> str:
    """The last text sent under the name; the default where there is none."""
    found = tree.get(name) if isinstance(tree, Mapping) else None
    if isinstance(found, list) and found and isinstance(found[-1], str):
        return found[-1]
    return default


def many(tree: Any, name: str) -> list[str]:
    found = tree.get(name) if isinstance(tree, Mapping) else None
    if not isinstance(found, list):
        return []
    return [text for text in found if isinstance(text, str) and text]


def rows(tree: Any, name: str) -> list[Mapping[str, Any]]:
    found = tree.get(name) if isinstance(tree, Mapping) else None
    if isinstance(found, Iterable) and not isinstance(found, Mapping):
        return [row for row in found if isinstance(row, Mapping)]
    return []


def inner(tree: Any, name: str) -> Mapping[str, Any]:
    found = tree.get(name) if isinstance(tree, Mapping) else None
    return found if isinstance(found, Mapping) else {}
