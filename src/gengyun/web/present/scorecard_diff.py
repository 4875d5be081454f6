"""What changed between two configurations of a scorecard, one line for each thing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """`kind` says what; `name_zh`, `name_en` whose; old or new is "" where it is not there."""

    kind: str
    name_zh: str
    name_en: str
    old: str
    new: str


def diff(old: Config | None, new: Config) -> list[Line]:
    """Empty when nothing that matters changed; everything is new against None."""
    lines: list[Line] = []
    before = old or {}
    for kind in ("min_coverage", "hysteresis"):
        _add(lines, kind, "", "", _plain(before.get(kind)), _plain(new.get(kind)))
    for band in "ABC":
        was, now = (c.get("bands", {}).get(band) for c in (before, new))
        _add(lines, "band", band, band, _plain(was), _plain(now))
    _groups(lines, before, new)
    _caps(lines, before, new)
    return lines


def _groups(lines: list[Line], old: Config, new: Config) -> None:
    was, now = _by_key(old.get("groups", [])), _by_key(new.get("groups", []))
    for key in [*now, *(key for key in was if key not in now)]:
        a, b = was.get(key), now.get(key)
        zh, en = ((b or a or {}).get(name, key) for name in ("name_zh", "name_en"))
        _add(lines, "group", zh, en, _share(a, old), _share(b, new))
    _factors(lines, old, new)


def _factors(lines: list[Line], old: Config, new: Config) -> None:
    was = _by_key([f for g in old.get("groups", []) for f in g["factors"]])
    now = _by_key([f for g in new.get("groups", []) for f in g["factors"]])
    for key in [*now, *(key for key in was if key not in now)]:
        a, b = was.get(key), now.get(key)
        metric = (b or a or {})["metric"]
        if a and b and a["metric"] != b["metric"]:
            _add(lines, "metric", metric, metric, a["metric"], b["metric"])
        a_weight = _share(a, _parent(old, key)) if a else ""
        b_weight = _share(b, _parent(new, key)) if b else ""
        _add(lines, "factor", metric, metric, a_weight, b_weight)
        _add(lines, "curve", metric, metric, _curve(a), _curve(b))
        _add(lines, "missing", metric, metric, _missing(a), _missing(b))
        if a and b:
            _add(lines, "peers", metric, metric, a.get("peers") or "-", b.get("peers") or "-")


def _caps(lines: list[Line], old: Config, new: Config) -> None:
    was = [_cap(cap) for cap in old.get("caps", [])]
    now = [_cap(cap) for cap in new.get("caps", [])]
    lines.extend(Line("cap", "", "", cap, "") for cap in was if cap not in now)
    lines.extend(Line("cap", "", "", "", cap) for cap in now if cap not in was)


def _add(lines: list[Line], kind: str, zh: str, en: str, old: str, new: str) -> None:  # noqa: PLR0917
    if old != new:
        lines.append(Line(kind, zh, en, old, new))


def _by_key(rows: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {row["key"]: row for row in rows}


def _parent(config: Config, key: str) -> Mapping[str, Any]:
    """The group of a factor, shaped so that `_share` finds the siblings."""
    for group in config.get("groups", []):
        if any(factor["key"] == key for factor in group["factors"]):
            return {"groups": group["factors"]}
    return {}


def _share(row: Mapping[str, Any] | None, parent: Mapping[str, Any]) -> str:
    if row is None:
        return ""
    total = sum(other["weight"] for other in parent.get("groups", []))
    return f"{round(100 * row['weight'] / total, 1):g}%" if total else ""


def _curve(factor: Mapping[str, Any] | None) -> str:
    if factor is None:
        return ""
    return ", ".join(f"{x:g} → {y:g}" for x, y in factor["curve"])


def _missing(factor: Mapping[str, Any] | None) -> str:
    if factor is None:
        return ""
    rule = factor.get("missing") or "exclude"
    if isinstance(rule, Mapping):
        return " ".join(f"{name} {value:g}" for name, value in rule.items())
    return str(rule)


def _cap(cap: Mapping[str, Any]) -> str:
    when = cap["when"]
    signs = {"gte": "≥", "gt": ">", "lte": "≤", "lt": "<", "eq": "="}
    sign = signs.get(when["op"], when["op"])
    for field, mark in (("floor_at", "≥"), ("set_to", "=")):
        if field in cap:
            return f"{when['metric']} {sign} {when['value']:g} → {mark} {cap[field]:g}"
    return f"{when['metric']} {sign} {when['value']:g} → ≤ {cap['cap_at']:g}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
