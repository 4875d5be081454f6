"""The scorecard editor's form: a configuration as fields that a person edits, and back. Pure.

Field names are paths (`group.0.factor.1.point.2.x`), so an error knows its field and the page works
without script. Weights and coverage are percentages on the screen and fractions in the
configuration; thresholds of a metric whose unit is a ratio are percentages too.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

Draft = dict[str, Any]
Errors = dict[str, str]

EFFECT_FIELDS = {"cap": "cap_at", "floor": "floor_at", "set": "set_to"}
PEERS = ("", "all", "tier", "tier_stage")
MISSING = ("exclude", "treat_as", "carry_forward", "block")
OPERATORS = ("lt", "lte", "gt", "gte")
NOT_A_NUMBER = "Enter a number."
REQUIRED = "This is needed."
SUM = "The weights must add up to 100 percent."


def number(text: str) -> float | None:
    """A number as people type it: full-width digits, thousands separators and a trailing %."""
    clean = unicodedata.normalize("NFKC", text or "").strip().replace(",", "").replace("−", "-")
    clean = clean.removesuffix("%").strip()
    try:
        value = float(clean)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124


def shown(value: float | None, *, times: float = 1) -> str:
    if value is None:
        return ""
    return f"{round(value * times, 6):g}" if abs(value * times) < 1e6 else f"{value * times:.0f}"


def draft_from_config(config: Mapping[str, Any], units: Mapping[str, str]) -> Draft:
    bands = config.get("bands") or {"A": 80, "B": 65, "C": 50}
    groups = config.get("groups", [])
    return {
        "min_coverage": shown(config.get("min_coverage", 0.6), times=100),
        "hysteresis": shown(config.get("hysteresis", 3)),
        "bands": {letter: shown(bands.get(letter)) for letter in "ABC"},
        "groups": [
            {
                "key": group["key"],
                "name_zh": group.get("name_zh", ""),
                "name_en": group.get("name_en", ""),
                "weight": _share(group, groups),
                "factors": [
                    _factor_draft(f, group.get("factors", []), units)
                    for f in group.get("factors", [])
                ],
            }
            for group in groups
        ],
        "caps": [
            {
                "key": cap.get("key", ""),
                "metric": cap["when"]["metric"],
                "op": cap["when"]["op"],
                "value": shown(cap["when"]["value"], times=times_of(cap["when"]["metric"], units)),
                "effect": _effect(cap),
                "cap_at": shown(cap[EFFECT_FIELDS[_effect(cap)]]),
                "reason_zh": cap.get("reason_zh", ""),
                "reason_en": cap.get("reason_en", ""),
            }
            for cap in config.get("caps", [])
        ],
    }


def _effect(cap: Mapping[str, Any]) -> str:
    """What a rule does to the score, by the field that it carries."""
    return next((name for name, field in EFFECT_FIELDS.items() if field in cap), "cap")


def times_of(metric: str, units: Mapping[str, str]) -> int:
    return 100 if units.get(metric) == "ratio" else 1


def _share(row: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> str:
    """A weight as a percentage of its siblings; stored weights are relative."""
    total = sum(other["weight"] for other in rows)
    return f"{round(100 * row['weight'] / total, 1):g}" if total else ""


def _factor_draft(
    factor: Mapping[str, Any], siblings: list[Mapping[str, Any]], units: Mapping[str, str]
) -> Draft:
    missing = factor.get("missing", "exclude")
    policy, value = missing, ""
    times = times_of(factor["metric"], units)
    if isinstance(missing, Mapping):
        policy = next(iter(missing))
        value = shown(missing[policy], times=times if policy == "treat_as" else 1)
    return {
        "key": factor["key"],
        "metric": factor["metric"],
        "was_metric": factor["metric"],
        "name_zh": factor.get("name_zh", ""),
        "name_en": factor.get("name_en", ""),
        "weight": _share(factor, siblings),
        "missing": policy,
        "missing_value": value,
        "peers": factor.get("peers") or "",
        "points": [{"x": shown(x, times=times), "y": shown(y)} for x, y in factor["curve"]],
    }


_GROUP = re.compile(r"group\.(\d{1,3})\.(key|name_zh|name_en|weight)")
FACTOR_FIELDS = (
    "key", "metric", "was_metric", "name_zh", "name_en", "weight", "missing", "missing_value",
    "peers",
)  # fmt: skip
_FACTOR = re.compile(rf"group\.(\d{{1,3}})\.factor\.(\d{{1,3}})\.({'|'.join(FACTOR_FIELDS)})")
_POINT = re.compile(r"group\.(\d{1,3})\.factor\.(\d{1,3})\.point\.(\d{1,3})\.(x|y)")
CAP_FIELDS = ("key", "metric", "op", "value", "effect", "cap_at", "reason_zh", "reason_en")
_CAP = re.compile(rf"cap\.(\d{{1,3}})\.({'|'.join(CAP_FIELDS)})")


def draft_from_post(post: Mapping[str, str]) -> Draft:
    """The fields as sent, whatever they hold; places that were left out close up."""
    groups: dict[int, dict[str, Any]] = {}
    caps: dict[int, dict[str, str]] = {}
    for name in post:
        text = post[name]
        if match := _POINT.fullmatch(name):
            g, f, p, field = match.groups()
            factor = _place(_place(groups, g)["factors"], f)
            factor["points"].setdefault(int(p), {"x": "", "y": ""})[field] = text
        elif match := _FACTOR.fullmatch(name):
            g, f, field = match.groups()
            _place(_place(groups, g)["factors"], f)[field] = text
        elif match := _GROUP.fullmatch(name):
            _place(groups, match[1])[match[2]] = text
        elif match := _CAP.fullmatch(name):
            caps.setdefault(int(match[1]), {})[match[2]] = text
    return {
        "min_coverage": post.get("min_coverage", ""),
        "hysteresis": post.get("hysteresis", ""),
        "bands": {letter: post.get(f"band.{letter}", "") for letter in "ABC"},
        "groups": [_closed_group(groups[g]) for g in sorted(groups)],
        "caps": [{k: caps[c].get(k, "") for k in CAP_FIELDS} for c in sorted(caps)],
    }


def _place(rows: dict[int, dict[str, Any]], index: str) -> dict[str, Any]:
    return rows.setdefault(int(index), {"factors": {}, "points": {}})


def _closed_group(group: dict[str, Any]) -> Draft:
    factors = [group["factors"][f] for f in sorted(group["factors"])]
    return {
        **{k: group.get(k, "") for k in ("key", "name_zh", "name_en", "weight")},
        "factors": [
            {
                **{k: f.get(k, "") for k in FACTOR_FIELDS},
                "missing": f.get("missing") or "exclude",
                "points": [f["points"][p] for p in sorted(f["points"])],
            }
            for f in factors
        ],
    }


def sums(draft: Draft) -> dict[str, float]:
    """What the weights add up to in percent: "" for the groups, the index for a group's factors."""
    total = {"": sum(number(g["weight"]) or 0 for g in draft["groups"])}
    for g, group in enumerate(draft["groups"]):
        total[str(g)] = sum(number(f["weight"]) or 0 for f in group["factors"])
    return total


class _Reader:
    """Collects errors by field name while fields are turned into numbers."""

    def __init__(self) -> None:
        self.errors: Errors = {}

    def number(self, name: str, text: str, *, per: float = 1) -> float:
        value = number(text)
        if value is None:
            self.errors[name] = NOT_A_NUMBER if text.strip() else REQUIRED
            return 0.0
        return round(value / per, 9) if per != 1 else value

    def text(self, name: str, text: str) -> str:
        if not text.strip():
            self.errors[name] = REQUIRED
        return text.strip()


def config_from_draft(draft: Draft, units: Mapping[str, str]) -> tuple[dict[str, Any], Errors]:
    """The configuration that the fields say, and the fields that could not be read."""
    read = _Reader()
    keys: set[str] = set()
    cap_keys: set[str] = set()
    config = {
        "min_coverage": read.number("min_coverage", draft["min_coverage"], per=100),
        "hysteresis": read.number("hysteresis", draft["hysteresis"]),
        "bands": {
            letter: read.number(f"band.{letter}", text) for letter, text in draft["bands"].items()
        },
        "groups": [
            _group_config(read, f"group.{g}", group, units, keys)
            for g, group in enumerate(draft["groups"])
        ],
        "caps": [
            _cap_config(read, f"cap.{c}", cap, units, cap_keys)
            for c, cap in enumerate(draft["caps"])
        ],
    }
    for name, total in sums(draft).items():
        if total and abs(total - 100) > 0.5:
            read.errors[f"group.{name}.sum" if name else "sum"] = SUM
    return config, read.errors


_WORDS = {"groups": "group", "factors": "factor", "caps": "cap", "bands": "band", "curve": "point"}


def field_of(path: str) -> str:
    """The field on the page for a place in the configuration (`groups.0.factors.1.curve.2.0`)."""
    parts = path.split(".")
    if "curve" in parts:
        if parts[-1] == "curve":
            return ".".join(_WORDS.get(part, part) for part in parts[:-1]) + ".curve"
        if len(parts) == 7:
            parts[-1] = "xy"[int(parts[-1])]
        else:
            parts.append("x")
    if "missing" in parts:
        parts = [*parts[: parts.index("missing")], "missing_value"]
    return ".".join(_WORDS.get(part, part) for part in parts if part != "when")


def _group_config(read: _Reader, name: str, group: Draft, units: Mapping[str, str], keys: set[str]):
    zh, en = group["name_zh"].strip(), group["name_en"].strip()
    if not zh and not en:
        read.errors[f"{name}.name_zh"] = REQUIRED
    return {
        "key": _key(group["key"], en or "group", keys),
        "name_zh": zh or en,
        "name_en": en or zh,
        "weight": read.number(f"{name}.weight", group["weight"], per=100),
        "factors": [
            _factor_config(read, f"{name}.factor.{f}", factor, units, keys)
            for f, factor in enumerate(group["factors"])
        ],
    }


def _factor_config(
    read: _Reader, name: str, factor: Draft, units: Mapping[str, str], keys: set[str]
):
    times = times_of(factor["metric"], units)
    policy: Any = factor["missing"] if factor["missing"] in MISSING else "exclude"
    if policy == "treat_as":
        value = read.number(f"{name}.missing_value", factor["missing_value"], per=times)
        policy = {"treat_as": value}
    elif policy == "carry_forward":
        days = read.number(f"{name}.missing_value", factor["missing_value"])
        policy = {"carry_forward": int(days)}
    chosen = factor.get("peers", "")
    compared = {"peers": chosen} if chosen in PEERS and chosen else {}
    # a name of its own belonged to the metric that stood here before
    named = factor["metric"] == factor["was_metric"]
    names = {k: factor[k] for k in ("name_zh", "name_en") if named and factor[k]}
    return (
        names
        | compared
        | {
            "key": _key(factor["key"], factor["metric"] or "factor", keys),
            "metric": read.text(f"{name}.metric", factor["metric"]),
            "weight": read.number(f"{name}.weight", factor["weight"], per=100),
            "curve": [
                [
                    read.number(f"{name}.point.{p}.x", point["x"], per=times),
                    read.number(f"{name}.point.{p}.y", point["y"]),
                ]
                for p, point in enumerate(factor["points"])
            ],
            "missing": policy,
        }
    )


def _cap_config(
    read: _Reader, name: str, cap: Draft, units: Mapping[str, str], keys: set[str]
) -> dict[str, Any]:
    zh, en = cap["reason_zh"].strip(), cap["reason_en"].strip()
    if not zh and not en:
        read.errors[f"{name}.reason_zh"] = REQUIRED
    value = read.number(f"{name}.value", cap["value"], per=times_of(cap["metric"], units))
    return {
        "key": _key(cap["key"], f"cap_{cap['metric']}", keys),
        "when": {
            "metric": read.text(f"{name}.metric", cap["metric"]),
            "op": cap["op"] if cap["op"] in OPERATORS else "gte",
            "value": value,
        },
        EFFECT_FIELDS.get(cap["effect"], "cap_at"): read.number(f"{name}.cap_at", cap["cap_at"]),
        "reason_zh": zh or en,
        "reason_en": en or zh,
    }


def _key(given: str, fallback: str, taken: set[str]) -> str:
    """A stable key: kept once given, else made from the English name, unique in the scorecard."""
    key = given.strip() or re.sub(r"[^a-z0-9]+", "_", fallback.lower()).strip("_") or "part"
    base, n = key, 2
    while key in taken:
        key, n = f"{base}_{n}", n + 1
    taken.add(key)
    return key


def curve_path(points: list[Draft]) -> str:
    """The curve as an SVG path in a box of 120 x 36; "" while it cannot be drawn."""
    read = [(number(point["x"]), number(point["y"])) for point in points]
    known = [(x, y) for x, y in read if x is not None and y is not None]
    if len(known) < 2 or len(known) < len(read):
        return ""
    low, high = known[0][0], known[-1][0]
    if high <= low:
        return ""
    margin = (high - low) * 0.12
    low, high = low - margin, high + margin
    spots = [(low, known[0][1]), *known, (high, known[-1][1])]
    return "M" + "L".join(
        f"{120 * (x - low) / (high - low):.1f} {34 - 32 * min(max(y, 0), 100) / 100:.1f}"
        for x, y in spots
    )
