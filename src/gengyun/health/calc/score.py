"""The score of one customer on one day, with everything that explains it.

Measure -> 0..100 by a piecewise-linear curve; group = weighted mean of its factors that have data;
overall = weighted mean of the groups that have data; then the rules: the first that sets the score,
else the highest floor and then the lowest cap; last a person's override. What each of them did is
kept: weighted (`raw_score`), after the rules (`computed_score`), shown (`score`).

A factor without data gives its weight to the other factors of its group, a group without any data
to the other groups. `coverage` is the share of the nominal weight that has live data; below
`min_coverage` there is no number. None is unknown and never 0.

Points (a factor's contribution to the overall score) and the score itself are multiples of `GRID`,
so that their sums and differences are exact in binary floating point: the points of all factors add
up to `raw_score` exactly, and a change of the score to the changes of its factors exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TypedDict

from gengyun.health.calc.bands import band
from gengyun.health.calc.config import OPERATORS, Cap, Config, Factor, Group

GRID = 2.0**-20  # about a millionth of a point


class FactorPart(TypedDict):
    key: str
    metric: str
    metric_version: int
    name_zh: str
    name_en: str
    unit: str
    weight: float  # nominal share of the overall score, 0..1
    effective_weight: float  # after the weight of missing data went elsewhere, 0..1
    value: float | None
    value_as_of: str | None  # ISO day the value belongs to
    source: str  # "live", "carried", "assumed" (treat_as), "none"
    score: float | None  # 0..100
    points: float | None  # effective_weight x score, on the grid; None when there is no number
    missing: str  # "" when live, else the policy that was followed
    peers: str  # the peers whose percentiles made the curve; "" for the fixed curve
    peer_count: int | None


class GroupPart(TypedDict):
    key: str
    name_zh: str
    name_en: str
    weight: float
    effective_weight: float
    score: float | None
    points: float | None
    factors: list[FactorPart]


class CapPart(TypedDict):
    key: str
    metric: str
    op: str
    threshold: float
    value: float
    cap_at: float
    reason_zh: str
    reason_en: str
    effect: str  # "cap", "floor", "set"


class OverridePart(TypedDict):
    id: int
    mode: str  # "set", "add"
    points: float
    reason: str
    author: str
    since: str  # ISO day
    until: str  # ISO day, the last one


class Explanation(TypedDict):
    score: float | None
    raw_score: float | None
    computed_score: float | None  # what it would be without the override
    band: str
    coverage: float
    reason: str  # why there is no number: "", "coverage", "blocked"
    cap: CapPart | None  # the rule that decided, whatever its effect
    override: OverridePart | None
    groups: list[GroupPart]
    version_id: int
    version_number: int
    scorecard_zh: str
    scorecard_en: str
    as_of: str


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a factor shows of its metric."""

    version: int = 1
    name_zh: str = ""
    name_en: str = ""
    unit: str = "count"


@dataclass(frozen=True, slots=True)
class Card:
    """Which scorecard version judges."""

    version_id: int
    version_number: int
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Previous:
    """What the last judged earlier day left: the band, and the values a factor may carry on."""

    band: str
    values: Mapping[str, tuple[float, date]]  # factor key -> value, day it belongs to


@dataclass(frozen=True, slots=True)
class _Reading:
    value: float | None
    value_as_of: date | None
    source: str
    score: float | None
    missing: str
    peers: str = ""
    peer_count: int | None = None


@dataclass(frozen=True, slots=True)
class PeerPart:
    """The curve that a customer's peers give a factor in this quarter."""

    group: str
    count: int
    curve: tuple[tuple[float, float], ...]


NO_PEERS: Mapping[str, PeerPart] = {}


def on_grid(value: float) -> float:
    return round(value / GRID) * GRID


def curve_score(curve: tuple[tuple[float, float], ...], value: float) -> float:
    """Piecewise linear between the points, flat outside them."""
    if value <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if value <= x1:
            # rounding must not carry the result out of the two scores
            share = (value - x0) / (x1 - x0)
            return min(max(y0, y1), max(min(y0, y1), y0 + (y1 - y0) * share))
    return curve[-1][1]


def _read(
    factor: Factor,
    value: float | None,
    previous: Previous | None,
    as_of: date,
    peers: Mapping[str, PeerPart],
) -> _Reading:
    """The value a factor is judged by: live, carried on from an earlier day, assumed, or none."""
    found = peers.get(factor.key)
    curve = found.curve if found else factor.curve
    group, count = (found.group, found.count) if found else ("", None)
    if value is not None and math.isfinite(value):
        return _Reading(value, as_of, "live", curve_score(curve, value), "", group, count)
    if factor.missing == "treat_as":
        assumed = curve_score(curve, factor.missing_value)
        return _Reading(None, None, "assumed", assumed, "treat_as", group, count)
    if factor.missing == "carry_forward" and previous and factor.key in previous.values:
        old, day = previous.values[factor.key]
        if timedelta(0) <= as_of - day <= timedelta(days=factor.missing_value):
            carried = curve_score(curve, old)
            return _Reading(old, day, "carried", carried, "carry_forward", group, count)
    return _Reading(None, None, "none", None, factor.missing)


def _deciding_rule(
    config: Config, inputs: Mapping[str, float | None], raw: float
) -> CapPart | None:
    """The rule that changes the weighted score: the first that sets it; else the highest floor
    above it, and the lowest cap below what then stands. A bad fact beats a good one."""
    met = [cap for cap in config.caps if _is_met(cap, inputs.get(cap.metric))]
    fixed = next((cap for cap in met if cap.effect == "set"), None)
    if fixed is not None:
        return _cap_part(fixed, inputs)
    floors = [cap for cap in met if cap.effect == "floor" and cap.cap_at > raw]
    decided = max(floors, key=lambda cap: cap.cap_at, default=None)
    level = decided.cap_at if decided else raw
    caps = [cap for cap in met if cap.effect == "cap" and cap.cap_at < level]
    lowest = min(caps, key=lambda cap: cap.cap_at, default=None)
    decided = lowest or decided
    return _cap_part(decided, inputs) if decided else None


def _is_met(cap: Cap, value: float | None) -> bool:
    return value is not None and OPERATORS[cap.op](value, cap.value)


def _cap_part(cap: Cap, inputs: Mapping[str, float | None]) -> CapPart:
    value = inputs[cap.metric]
    assert value is not None  # noqa: S101 - the rule was met
    return {
        "key": cap.key,
        "metric": cap.metric,
        "op": cap.op,
        "threshold": cap.value,
        "value": value,
        "cap_at": on_grid(cap.cap_at),
        "reason_zh": cap.reason_zh,
        "reason_en": cap.reason_en,
        "effect": cap.effect,
    }


def overridden(computed: float, override: OverridePart) -> float:
    """The score that an override makes of the computed one, 0 to 100, on the grid."""
    wanted = override["points"] + (computed if override["mode"] == "add" else 0.0)
    return on_grid(min(100.0, max(0.0, wanted)))


def _factor_part(
    factor: Factor, reading: _Reading, info: MetricInfo, weight: float, effective: float
) -> FactorPart:
    return {
        "key": factor.key,
        "metric": factor.metric,
        "metric_version": info.version,
        "name_zh": factor.name_zh or info.name_zh or factor.metric,
        "name_en": factor.name_en or info.name_en or factor.metric,
        "unit": info.unit,
        "weight": weight,
        "effective_weight": effective,
        "value": reading.value,
        "value_as_of": reading.value_as_of.isoformat() if reading.value_as_of else None,
        "source": reading.source,
        "score": reading.score,
        "points": None,
        "missing": reading.missing,
        "peers": reading.peers,
        "peer_count": reading.peer_count,
    }


def _group_part(
    group: Group,
    readings: Mapping[str, _Reading],
    infos: Mapping[str, MetricInfo],
    weight: float,
    effective: float,
) -> GroupPart:
    """One group with its factors; `effective` is 0 when the group has no data."""
    total = math.fsum(factor.weight for factor in group.factors)
    present = math.fsum(f.weight for f in group.factors if readings[f.key].score is not None)
    factors = [
        _factor_part(
            factor,
            readings[factor.key],
            infos.get(factor.metric, MetricInfo()),
            weight * factor.weight / total,
            effective * factor.weight / present if readings[factor.key].score is not None else 0.0,
        )
        for factor in group.factors
    ]
    weighted = math.fsum(f.weight * (readings[f.key].score or 0.0) for f in group.factors)
    return {
        "key": group.key,
        "name_zh": group.name_zh,
        "name_en": group.name_en,
        "weight": weight,
        "effective_weight": effective,
        "score": min(100.0, weighted / present) if present else None,
        "points": None,
        "factors": factors,
    }


def _share_points(groups: list[GroupPart]) -> float:
    """Give every factor and group its points; returns the weighted score, their exact sum.

    Rounding to the grid leaves a few millionths; the factor with most points takes them.
    """
    parts = [part for group in groups for part in group["factors"]]
    exact = [part["effective_weight"] * (part["score"] or 0.0) for part in parts]
    points = [on_grid(value) for value in exact]
    raw = min(100.0, on_grid(math.fsum(exact)))
    points[points.index(max(points))] += raw - math.fsum(points)
    for part, value in zip(parts, points, strict=True):
        part["points"] = value
    for group in groups:
        group["points"] = math.fsum(part["points"] or 0.0 for part in group["factors"])
    return raw


def score(
    config: Config,
    inputs: Mapping[str, float | None],
    previous: Previous | None,
    *,
    as_of: date,
    card: Card,
    infos: Mapping[str, MetricInfo],
    peers: Mapping[str, PeerPart] = NO_PEERS,
    override: OverridePart | None = None,
) -> Explanation:
    """Judge one customer. `inputs`: metric key -> value, None or absent when unknown; `peers`:
    factor key -> the curve of the customer's peers."""
    readings = {
        f.key: _read(f, inputs.get(f.metric), previous, as_of, peers) for f in config.factors()
    }
    total = math.fsum(group.weight for group in config.groups)
    with_data = {
        group.key
        for group in config.groups
        if any(readings[factor.key].score is not None for factor in group.factors)
    }
    present = math.fsum(group.weight for group in config.groups if group.key in with_data)
    groups = [
        _group_part(
            group,
            readings,
            infos,
            group.weight / total,
            group.weight / present if group.key in with_data else 0.0,
        )
        for group in config.groups
    ]
    parts = [part for group in groups for part in group["factors"]]
    coverage = min(1.0, math.fsum(p["weight"] for p in parts if p["source"] in {"live", "carried"}))
    reason = _no_number(config, parts, coverage)
    explanation: Explanation = {
        "score": None,
        "raw_score": None,
        "computed_score": None,
        "band": band(config, None, None),
        "coverage": coverage,
        "reason": reason,
        "cap": None,
        "override": None,
        "groups": groups,
        "version_id": card.version_id,
        "version_number": card.version_number,
        "scorecard_zh": card.name_zh,
        "scorecard_en": card.name_en,
        "as_of": as_of.isoformat(),
    }
    if not reason:
        _with_number(explanation, config, inputs, previous)
    if override is not None:
        _with_override(explanation, config, override)
    return explanation


def missing_of(explanation: Explanation) -> str:
    """The metrics of factors without live data, as ",seat_use_30d,breadth_30d,"; "" for none."""
    keys = sorted(
        {
            part["metric"]
            for group in explanation["groups"]
            for part in group["factors"]
            if part["source"] in {"none", "assumed"}
        }
    )
    return f",{','.join(keys)}," if keys else ""


def _no_number(config: Config, parts: list[FactorPart], coverage: float) -> str:
    if any(part["missing"] == "block" for part in parts):
        return "blocked"
    # a billionth of tolerance: weights like 0.1 + 0.2 do not sum exactly
    if coverage <= 0 or coverage < config.min_coverage - 1e-9:
        return "coverage"
    return ""


def _with_number(
    explanation: Explanation,
    config: Config,
    inputs: Mapping[str, float | None],
    previous: Previous | None,
) -> None:
    raw = _share_points(explanation["groups"])
    cap = _deciding_rule(config, inputs, raw)
    final = cap["cap_at"] if cap else raw
    explanation["raw_score"], explanation["cap"] = raw, cap
    explanation["score"] = explanation["computed_score"] = final
    # a rule is clear-cut: the margin of the last band must not soften it
    last_band = previous.band if previous and not cap else None
    explanation["band"] = band(config, final, last_band)


def _with_override(explanation: Explanation, config: Config, override: OverridePart) -> None:
    """A person's word stands above the computed score; where there is none, only a set score."""
    computed = explanation["computed_score"]
    if computed is None and override["mode"] == "add":
        return
    explanation["override"] = override
    explanation["score"] = overridden(computed or 0.0, override)
    explanation["band"] = band(config, explanation["score"], None)
