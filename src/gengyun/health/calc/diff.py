"""What moved the score between two days: points per factor that add up exactly to the change."""

from collections.abc import Mapping
from typing import Any, TypedDict

RULE_NAMES = {
    "cap": ("封顶", "Cap"),
    "floor": ("保底", "Floor"),
    "set": ("定分", "Set score"),
    "": ("规则", "Rule"),
}


class FactorChange(TypedDict):
    key: str
    group: str
    name_zh: str
    name_en: str
    unit: str
    value_before: float | None
    value_after: float | None
    score_before: float | None
    score_after: float | None
    points_before: float
    points_after: float
    change: float  # points


class Difference(TypedDict):
    as_of_before: str
    as_of_after: str
    score_before: float | None
    score_after: float | None
    change: float | None  # None when one of the two days has no number
    factors: list[FactorChange]  # every factor of either day, biggest move first
    cap_change: float  # what a rule that came or went did to the score
    rule: str  # its effect: "cap", "floor", "set", "" for none
    override_change: float  # what a person's override that came or went did
    version_changed: bool  # judged by different rules: part of the change may be the rules


def slim(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an explanation that a later comparison needs."""
    kept = ("score", "raw_score", "band", "as_of", "version_id", "cap")
    added = ("computed_score", "override")  # explanations of earlier releases lack them
    factor_kept = ("key", "name_zh", "name_en", "unit", "value", "score", "points")
    return {key: explanation[key] for key in kept} | {
        **{key: explanation.get(key) for key in added if key in explanation},
        "groups": [
            {
                "key": group["key"],
                "points": group["points"],
                "factors": [{key: part[key] for key in factor_kept} for part in group["factors"]],
            }
            for group in explanation["groups"]
        ],
    }


def _parts(explanation: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    return {
        part["key"]: (group["key"], part)
        for group in explanation["groups"]
        for part in group["factors"]
    }


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Compare two explanations (whole or slim).

    sum(changes) + cap_change + override_change == change, exactly. A score that a person set where
    there was too little data for a computed one is all override.

    A factor that is only in one of the two scorecards counts with 0 points on the other day.
    """
    olds, news = _parts(before), _parts(after)
    has_numbers = before["score"] is not None and after["score"] is not None
    factors = []
    for key in [*news, *(key for key in olds if key not in news)]:
        group, shown = news.get(key) or olds[key]
        old = olds[key][1] if key in olds else {}
        new = news[key][1] if key in news else {}
        points_before, points_after = old.get("points") or 0.0, new.get("points") or 0.0
        factors.append(
            FactorChange(
                key=key,
                group=group,
                name_zh=shown["name_zh"],
                name_en=shown["name_en"],
                unit=shown["unit"],
                value_before=old.get("value"),
                value_after=new.get("value"),
                score_before=old.get("score"),
                score_after=new.get("score"),
                points_before=points_before,
                points_after=points_after,
                change=points_after - points_before if has_numbers else 0.0,
            )
        )
    factors.sort(key=lambda change: -abs(change["change"]))
    change = after["score"] - before["score"] if has_numbers else None
    cap_change = _by_rules(after) - _by_rules(before) if has_numbers else 0.0
    override_change = _by_people(after) - _by_people(before) if has_numbers else 0.0
    return Difference(
        as_of_before=before["as_of"],
        as_of_after=after["as_of"],
        score_before=before["score"],
        score_after=after["score"],
        change=change,
        factors=factors,
        cap_change=cap_change,
        rule=(after["cap"] or before["cap"] or {"effect": ""}).get("effect", "cap"),
        override_change=override_change,
        version_changed=before["version_id"] != after["version_id"],
    )


def _computed(explanation: Mapping[str, Any]) -> float:
    """The score without the override; 0 where only the override makes a number."""
    if "computed_score" not in explanation:
        return float(explanation["score"])
    computed = explanation["computed_score"]
    return 0.0 if computed is None else float(computed)


def _by_rules(explanation: Mapping[str, Any]) -> float:
    return _computed(explanation) - float(explanation["raw_score"] or 0.0)


def _by_people(explanation: Mapping[str, Any]) -> float:
    return float(explanation["score"]) - _computed(explanation)


class Mover(TypedDict):
    name_zh: str
    name_en: str
    points: float


def movers(difference: Difference, *, most: int = 3, least: float = 0.5) -> list[Mover]:
    """The factors that explain the change, biggest first; small moves are left out."""
    if difference["change"] is None:
        return []
    found = [
        Mover(name_zh=f["name_zh"], name_en=f["name_en"], points=f["change"])
        for f in difference["factors"]
        if abs(f["change"]) >= least
    ]
    if abs(difference["cap_change"]) >= least:
        zh, en = RULE_NAMES[difference["rule"]]
        found.append(Mover(name_zh=zh, name_en=en, points=difference["cap_change"]))
    if abs(difference["override_change"]) >= least:
        points = difference["override_change"]
        found.append(Mover(name_zh="手动调整", name_en="Override", points=points))
    found.sort(key=lambda mover: -abs(mover["points"]))
    return found[:most]


class Burden(TypedDict):
    name_zh: str
    name_en: str
    unit: str
    value: float | None


def weakest(explanation: Mapping[str, Any], *, most: int = 2) -> list[Burden]:
    """The factors that cost the most points: effective weight x (100 - score), largest first."""
    factors = [f for group in explanation["groups"] for f in group["factors"]]
    costs = [
        (f["effective_weight"] * (100.0 - f["score"]), f)
        for f in factors
        if f["score"] is not None and f["value"] is not None
    ]
    costs.sort(key=lambda cost: -cost[0])
    return [
        Burden(name_zh=f["name_zh"], name_en=f["name_en"], unit=f["unit"], value=f["value"])
        for cost, f in costs[:most]
        if cost > 0
    ]
