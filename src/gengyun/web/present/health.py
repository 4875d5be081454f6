"""Rows of the health table from an explanation and the difference to an earlier day. Pure."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gengyun.health.calc.diff import RULE_NAMES
from gengyun.health.calc.manual import SENTIMENT
from gengyun.web.present.format import metric, percent

# level, word, band whose colour it wears; the best first
LEVELS = (
    (4, pgettext_lazy("sentiment", "confident"), "a"),
    (3, pgettext_lazy("sentiment", "steady"), "b"),
    (2, pgettext_lazy("sentiment", "worried"), "c"),
    (1, pgettext_lazy("sentiment", "alarmed"), "d"),
)


@dataclass
class FactorRow:
    key: str
    name: str
    weight: str  # "10%", or "10→15%" where missing data moved weight
    value: str
    note: str  # why a value is not of that day
    score: float | None
    was: float | None
    points: float | None
    change: float | None
    has_data: bool
    part: dict[str, Any]


@dataclass
class GroupRow:
    key: str
    name: str
    weight: str
    points: float | None
    change: float | None
    factors: list[FactorRow] = field(default_factory=list)


def factor_table(explanation, difference, *, zh: bool) -> list[GroupRow]:
    changes = {c["key"]: c for c in difference["factors"]} if difference else {}
    rows = []
    for group in explanation["groups"]:
        factors = [_factor(part, changes.get(part["key"]), zh=zh) for part in group["factors"]]
        moved = [row.change for row in factors if row.change is not None]
        rows.append(
            GroupRow(
                group["key"],
                _name(group, zh=zh),
                _weight(group),
                group["points"],
                sum(moved) if moved else None,
                factors,
            )
        )
    return rows


def _factor(part, change, *, zh: bool) -> FactorRow:
    has_data = part["score"] is not None
    was = change["score_before"] if change else None
    note = ""
    value = _value(part, zh=zh)
    if part["source"] == "assumed":
        value = "没有数据" if zh else "no data"
        note = "按约定值计" if zh else "counted as agreed"
    elif part["source"] == "carried":
        note = f"沿用 {part['value_as_of']}" if zh else f"carried from {part['value_as_of']}"
    elif part.get("peers"):
        note = f"与 {part['peer_count']} 家同类比" if zh else f"against {part['peer_count']} peers"
    elif change and change["value_before"] is not None and has_data and part["unit"] != "level":
        before = metric(change["value_before"], part["unit"], zh=zh)
        if before != value:
            note = f"原来 {before}" if zh else f"was {before}"
    return FactorRow(
        key=part["key"],
        name=_name(part, zh=zh),
        weight=_weight(part),
        value=value,
        note=note,
        score=part["score"],
        was=was,
        points=part["points"],
        change=change["change"] if change and difference_is_known(change) else None,
        has_data=has_data,
        part=part,
    )


def _value(part, *, zh: bool) -> str:
    if part["unit"] == "level" and part["value"] is not None:
        return str({level: word for level, word, _band in LEVELS}.get(int(part["value"]), ""))
    return metric(part["value"], part["unit"], zh=zh)


def difference_is_known(change) -> bool:
    return change["score_after"] is not None or change["score_before"] is not None


def _weight(part) -> str:
    nominal, effective = percent(part["weight"]), percent(part["effective_weight"])
    return nominal if nominal == effective else f"{nominal[:-1]}→{effective}"


def _name(part, *, zh: bool) -> str:
    return part["name_zh" if zh else "name_en"] or part["name_en"] or part["name_zh"]


def biggest_moves(difference, *, zh: bool, most: int = 2) -> list[tuple[str, float]]:
    """The factors that moved the score the way it went, biggest first."""
    if not difference or not difference["change"]:
        return []
    down = difference["change"] < 0
    moved = [
        (_name(c, zh=zh), c["change"])
        for c in difference["factors"]
        if (c["change"] < 0) == down and abs(c["change"]) >= 0.05
    ]
    if (difference["cap_change"] < 0) == down and abs(difference["cap_change"]) >= 0.05:
        name_zh, name_en = RULE_NAMES[difference["rule"]]
        moved.append((name_zh if zh else name_en.lower(), difference["cap_change"]))
    by_hand = difference["override_change"]
    if (by_hand < 0) == down and abs(by_hand) >= 0.05:
        moved.append(("手动调整" if zh else "the override", by_hand))
    moved.sort(key=lambda item: -abs(item[1]))
    return moved[:most]


def defined(row) -> set[str]:
    """The factors that rest on a metric: each has a definition to open."""
    if row is None:
        return set()
    return {
        factor["key"]
        for group in row.version.config.get("groups", [])
        for factor in group["factors"]
        if factor["metric"] != SENTIMENT
    }


def missing_factors(explanation, *, zh: bool) -> list[str]:
    return [
        _name(part, zh=zh)
        for group in explanation["groups"]
        for part in group["factors"]
        if part["source"] in {"none", "assumed"}
    ]


@dataclass
class Said:
    """One line of what people said: a sentiment or an override, and what became of it."""

    row: Any
    level: Any  # word of a sentiment, None for an override
    state: Any  # counts, has run out, was taken back


def said(rows, *, today: date) -> list[Said]:
    words = {level: word for level, word, _band in LEVELS}
    found = []
    seen = set()
    for row in rows:
        kind = type(row)
        if row.ended_at is not None:
            state = _("taken back")
        elif row.valid_until < today:
            state = _("has run out")
        elif kind in seen:
            state = _("replaced")
        else:
            state = _("counts")
        if row.ended_at is None:
            seen.add(kind)
        found.append(Said(row, words.get(getattr(row, "level", None)), state))
    return found


def counts_sentiment(explanation) -> bool:
    """Whether the scorecard that judges has the CSM's sentiment among its factors."""
    return explanation is not None and any(
        part["metric"] == SENTIMENT for group in explanation["groups"] for part in group["factors"]
    )
