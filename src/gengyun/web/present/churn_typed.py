"""What was typed into the settings of the churn probability: read, compared, refused by name. Pure.

Ranges are those of the action (`churn.actions.settings.CHECKED`); here they only get the name that
the page shows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from gengyun.churn.calc.standards import shipped
from gengyun.web.present.churn_card import source_name
from gengyun.web.present.churn_settings import TIER, Entry
from gengyun.web.words import gettext as _

KEYWORDS = ("assumption", "convention", "measured", "stated")
NUMBER = {"weights": "weight", "base_rates": "rate", "thresholds": "value"}
Check = Callable[[Entry, Mapping[str, Any]], str]  # the sentence against an entry, "" for none


@dataclass
class Found:
    """`kept`: entries that the company now has of its own; `changes`: (what, before, after)."""

    kept: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)


def keyword_of(text: str) -> str:
    """The key of a source that is a word of ours; people's own words as they are."""
    return next((key for key in KEYWORDS if text in {key, source_name(key)}), text)


def number_of(text: str) -> float | None:
    cleaned = text.replace(",", "").replace("，", "").removesuffix("%").removesuffix("％").strip()
    try:
        found = float(cleaned)
    except ValueError:
        return None
    return found if isfinite(found) and abs(found) < 1e9 else None


def typed(before: Iterable[Entry], given: Mapping[str, str], kind: str, mark: str) -> list[Entry]:
    """The same rows as they were typed.

    `mark`: the source of a number that was changed while its source was left as it stood, which is
    that of the old number: who said the new one, and when.
    """
    return [_typed(one, given, kind, mark) for one in before]


def _typed(was: Entry, given: Mapping[str, str], kind: str, mark: str) -> Entry:
    now = replace(
        was,
        value=given.get(was.field, was.value).strip(),
        source=given.get("source." + was.field, was.source).strip(),
        more=given.get("worth." + was.field, was.more).strip(),
    )
    if _is_same_number(was, now):  # looked at and taken back
        return replace(now, source=was.source) if now.source == mark else now
    if now.source != was.source:
        return now
    if not now.value and was.key.startswith(TIER):
        return replace(now, source="")
    row = _row(now, kind)
    if row is None:
        return now
    first = shipped()[kind].get(was.key)
    if first and row | {"source": first["source"]} == first:
        return replace(now, source=source_name(first["source"]))
    return replace(now, source=mark)


def _is_same_number(was: Entry, now: Entry) -> bool:
    """2 and 2.0 are one number."""
    pairs = ((was.value, now.value), (was.more, now.more))
    return all(
        old == new or (number_of(new) is not None and number_of(old) == number_of(new))
        for old, new in pairs
    )


def read(
    before: Sequence[Entry], after: Sequence[Entry], own: Mapping[str, Any], kind: str, check: Check
) -> Found:
    """A row left as it was stays as it is, of its own or as shipped; a row typed back to what is
    shipped is as shipped again. What is refused is no change."""
    found = Found()
    for was, now in zip(before, after, strict=True):
        if _is_same_number(was, now) and was.source == now.source:
            if was.key in own:
                found.kept[was.key] = own[was.key]
            continue
        if now.value or not now.key.startswith(TIER):  # else by the budget again
            row = _row(now, kind)
            if error := _("A number is needed here.") if row is None else check(now, row):
                found.errors[now.field] = error
                continue
            if row != shipped()[kind].get(now.key):
                found.kept[now.key] = row
        found.changes.append((now.label, _said(was), _said(now)))
    return found


def _said(one: Entry) -> str:
    return " ".join(filter(None, [one.value or "—", f"× {one.more}" if one.more else "",
                                  f"({one.source})" if one.source else ""]))  # fmt: skip


def _row(one: Entry, kind: str) -> dict[str, Any] | None:
    """As the settings store it; None where a number is none."""
    value = number_of(one.value)
    if value is None:
        return None
    row: dict[str, Any] = {"source": keyword_of(one.source)}
    if kind == "base_rates":
        worth = number_of(one.more)
        return None if worth is None else row | {"rate": round(value / 100, 6), "worth": worth}
    return row | {NUMBER[kind]: value / 100 if one.key.startswith(TIER) else value}
