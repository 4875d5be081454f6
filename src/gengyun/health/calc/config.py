"""The shape of a scorecard's configuration: parse, check, and say exactly what is wrong and where.

JSON shape (`ScorecardVersion.config`):
{"bands": {"A": 80, "B": 65, "C": 50}, "hysteresis": 3, "min_coverage": 0.6,
 "groups": [{"key", "name_zh", "name_en", "weight", "factors": [
    {"key", "metric", "weight", "curve": [[value, score], ...], "missing": "exclude" |
     {"treat_as": value} | {"carry_forward": days} | "block", "name_zh"?, "name_en"?,
     "peers"?: "all" | "tier" | "tier_stage"}]}],
 "caps": [{"key", "when": {"metric", "op": "gte|gt|lte|lt|eq", "value"}, one of "cap_at",
           "floor_at" and "set_to", "reason_zh", "reason_en"}]}
With "peers" the values of the curve come from the percentiles of similar customers, see
`health.calc.peers`; the fixed curve says the direction and stands in while they are too few.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

MissingPolicy = Literal["exclude", "treat_as", "carry_forward", "block"]
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "gte": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "lte": lambda a, b: a <= b,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
}
Effect = Literal["cap", "floor", "set"]
EFFECTS: dict[str, Effect] = {"cap_at": "cap", "floor_at": "floor", "set_to": "set"}
PEERS = ("all", "tier", "tier_stage")
DEFAULT_BANDS = {"A": 80.0, "B": 65.0, "C": 50.0}
MAX_GROUPS, MAX_FACTORS, MAX_CAPS = 12, 60, 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where (`groups.0.factors.1.curve`), stable code, English msgid, its params."""

    path: str
    code: str
    message: str
    params: Mapping[str, Any]


class ConfigInvalid(ValueError):
    """The configuration cannot be used; `problems` lists every fault found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.path}: {p.message % p.params}" for p in problems))


@dataclass(frozen=True, slots=True)
class Factor:
    key: str
    metric: str
    weight: float
    curve: tuple[tuple[float, float], ...]
    missing: MissingPolicy
    missing_value: float  # value of treat_as, days of carry_forward, else 0
    name_zh: str
    name_en: str
    peers: str = ""  # one of PEERS; "" for the fixed curve


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name_zh: str
    name_en: str
    weight: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Cap:
    key: str
    metric: str
    op: str
    value: float
    cap_at: float  # the score that the rule limits to, lifts to or sets
    reason_zh: str
    reason_en: str
    effect: Effect = "cap"


@dataclass(frozen=True, slots=True)
class Config:
    bands: tuple[tuple[str, float], ...]  # ("A", 80), ("B", 65), ("C", 50): lower bounds, falling
    hysteresis: float
    min_coverage: float  # 0..1
    groups: tuple[Group, ...]
    caps: tuple[Cap, ...]

    def metrics(self) -> frozenset[str]:
        used = {factor.metric for group in self.groups for factor in group.factors}
        return frozenset(used | {cap.metric for cap in self.caps})

    def has_peers(self) -> bool:
        return any(factor.peers for factor in self.factors())

    def factors(self) -> Iterable[Factor]:
        return (factor for group in self.groups for factor in group.factors)


class _Checker:
    """Collects problems while reading, so that a person sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fault(self, path: str, code: str, message: str, **params: Any) -> None:
        self.problems.append(Problem(path, code, message, params))

    def number(self, path: str, value: Any, *, low: float, high: float) -> float:
        """A finite number in [low, high]; NaN and infinity are refused."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            self.fault(path, "not_a_number", "A number is needed here.")
            return low
        if not low <= value <= high:
            self.fault(
                path,
                "out_of_range",
                "The number must lie between %(low)s and %(high)s.",
                low=f"{low:g}",
                high=f"{high:g}",
            )
        return float(value)

    def text(self, path: str, value: Any, *, needed: bool = True) -> str:
        if not isinstance(value, str) or (needed and not value.strip()):
            if needed or value is not None:
                self.fault(path, "no_text", "A text is needed here.")
            return ""
        return value.strip()

    def unique(self, path: str, keys: Iterable[str]) -> None:
        seen: set[str] = set()
        for key in keys:
            if key and key in seen:
                self.fault(path, "key_twice", "The key %(key)s is used twice.", key=key)
            seen.add(key)


def _items(check: _Checker, path: str, value: Any, *, most: int) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        check.fault(path, "not_a_list", "A list is needed here.")
        return []
    if len(value) > most:
        check.fault(path, "too_many", "At most %(most)s entries are allowed.", most=most)
    return value[:most]


def _curve(check: _Checker, path: str, value: Any) -> tuple[tuple[float, float], ...]:
    """At least two points, values rising, scores all rising or all falling."""
    if not isinstance(value, list) or len(value) < 2:
        check.fault(path, "curve_short", "A curve needs at least two points.")
        return ((0.0, 0.0), (1.0, 100.0))
    points = []
    for index, point in enumerate(value):
        if not isinstance(point, list | tuple) or len(point) != 2:
            check.fault(f"{path}.{index}", "not_a_point", "A point is a value and a score.")
            continue
        points.append(
            (
                check.number(f"{path}.{index}.0", point[0], low=-1e15, high=1e15),
                check.number(f"{path}.{index}.1", point[1], low=0, high=100),
            )
        )
    steps = list(pairwise(points))
    if any(b[0] <= a[0] for a, b in steps):
        check.fault(path, "curve_order", "The values of a curve must rise from point to point.")
    rises, falls = (any(b[1] > a[1] for a, b in steps), any(b[1] < a[1] for a, b in steps))
    if rises and falls:
        check.fault(path, "curve_turns", "The scores of a curve must all rise or all fall.")
    return tuple(points)


def _missing(check: _Checker, path: str, value: Any) -> tuple[MissingPolicy, float]:
    if value in (None, "exclude"):
        return "exclude", 0.0
    if value == "block":
        return "block", 0.0
    if isinstance(value, dict) and set(value) == {"treat_as"}:
        assumed = check.number(f"{path}.treat_as", value["treat_as"], low=-1e15, high=1e15)
        return "treat_as", assumed
    if isinstance(value, dict) and set(value) == {"carry_forward"}:
        days = check.number(f"{path}.carry_forward", value["carry_forward"], low=1, high=400)
        return "carry_forward", days
    check.fault(path, "bad_missing", "This is not a rule for missing data.")
    return "exclude", 0.0


def _factor(check: _Checker, path: str, raw: dict[str, Any]) -> Factor:
    policy, policy_value = _missing(check, f"{path}.missing", raw.get("missing"))
    return Factor(
        key=check.text(f"{path}.key", raw.get("key")),
        metric=check.text(f"{path}.metric", raw.get("metric")),
        weight=_weight(check, f"{path}.weight", raw.get("weight")),
        curve=_curve(check, f"{path}.curve", raw.get("curve")),
        missing=policy,
        missing_value=policy_value,
        name_zh=check.text(f"{path}.name_zh", raw.get("name_zh"), needed=False),
        name_en=check.text(f"{path}.name_en", raw.get("name_en"), needed=False),
        peers=_peers(check, f"{path}.peers", raw.get("peers")),
    )


def _peers(check: _Checker, path: str, value: Any) -> str:
    if value not in {None, "", *PEERS}:
        check.fault(path, "bad_peers", "This is not a group of similar customers.")
        return ""
    return value or ""


def _weight(check: _Checker, path: str, value: Any) -> float:
    weight = check.number(path, value, low=0, high=1000)
    if weight <= 0:
        check.fault(path, "weight_zero", "A weight must be greater than 0.")
        return 1.0
    return weight


def _group(check: _Checker, path: str, raw: dict[str, Any]) -> Group:
    factors = tuple(
        _factor(check, f"{path}.factors.{index}", item)
        for index, item in enumerate(
            _items(check, f"{path}.factors", raw.get("factors"), most=MAX_FACTORS)
        )
    )
    if not factors:
        check.fault(f"{path}.factors", "no_factors", "A group needs at least one factor.")
    return Group(
        key=check.text(f"{path}.key", raw.get("key")),
        name_zh=check.text(f"{path}.name_zh", raw.get("name_zh")),
        name_en=check.text(f"{path}.name_en", raw.get("name_en")),
        weight=_weight(check, f"{path}.weight", raw.get("weight")),
        factors=factors,
    )


def _cap(check: _Checker, path: str, raw: dict[str, Any], index: int) -> Cap:
    when = raw.get("when")
    if not isinstance(when, dict):
        check.fault(f"{path}.when", "no_condition", "A cap needs a condition.")
        when = {}
    op = when.get("op")
    if op not in OPERATORS:
        check.fault(f"{path}.when.op", "bad_operator", "This comparison is not known.")
    named = next((name for name in EFFECTS if name in raw), "cap_at")
    return Cap(
        key=check.text(f"{path}.key", raw.get("key", f"cap_{index + 1}")),
        metric=check.text(f"{path}.when.metric", when.get("metric")),
        op=str(op),
        value=check.number(f"{path}.when.value", when.get("value"), low=-1e15, high=1e15),
        cap_at=check.number(f"{path}.cap_at", raw.get(named), low=0, high=100),
        reason_zh=check.text(f"{path}.reason_zh", raw.get("reason_zh")),
        reason_en=check.text(f"{path}.reason_en", raw.get("reason_en")),
        effect=EFFECTS[named],
    )


def _bands(check: _Checker, raw: Any) -> tuple[tuple[str, float], ...]:
    bands = raw if isinstance(raw, dict) else {}
    if raw is not None and set(bands) != set(DEFAULT_BANDS):
        check.fault("bands", "bad_bands", "Bands need the lower bounds of A, B and C.")
    values = {name: bands.get(name, low) for name, low in DEFAULT_BANDS.items()}
    found = tuple(
        (name, check.number(f"bands.{name}", value, low=0, high=100))
        for name, value in values.items()
    )
    if not found[0][1] > found[1][1] > found[2][1] > 0:
        check.fault("bands", "bands_order", "The lower bounds must fall from A to C, above 0.")
    return found


def parse_config(raw: Any, *, known_metrics: Iterable[str] | None = None) -> Config:
    """Read a configuration; raises `ConfigInvalid` with every fault. Unknown metrics are faults
    when `known_metrics` is given."""
    check = _Checker()
    if not isinstance(raw, dict):
        check.fault("", "not_an_object", "A scorecard needs groups of factors.")
        raise ConfigInvalid(check.problems)
    groups = tuple(
        _group(check, f"groups.{index}", item)
        for index, item in enumerate(_items(check, "groups", raw.get("groups"), most=MAX_GROUPS))
    )
    if not groups:
        check.fault("groups", "no_groups", "A scorecard needs at least one group.")
    caps = tuple(
        _cap(check, f"caps.{index}", item, index)
        for index, item in enumerate(_items(check, "caps", raw.get("caps", []), most=MAX_CAPS))
    )
    config = Config(
        bands=_bands(check, raw.get("bands")),
        hysteresis=check.number("hysteresis", raw.get("hysteresis", 3), low=0, high=10),
        min_coverage=check.number("min_coverage", raw.get("min_coverage", 0.6), low=0, high=1),
        groups=groups,
        caps=caps,
    )
    if config.bands[0][1] + config.hysteresis > 100 or config.bands[2][1] <= config.hysteresis:
        # A could never be reached from below, or D never from above
        check.fault("hysteresis", "margin_wide", "The margin leaves no room for A or for D.")
    check.unique("groups", (group.key for group in groups))
    check.unique("groups", (factor.key for factor in config.factors()))
    check.unique("caps", (cap.key for cap in caps))
    if known_metrics is not None:
        _check_metrics(check, config, frozenset(known_metrics))
    if check.problems:
        raise ConfigInvalid(check.problems)
    return config


def _check_metrics(check: _Checker, config: Config, known: frozenset[str]) -> None:
    message = "There is no metric %(metric)s."
    for g, group in enumerate(config.groups):
        for f, factor in enumerate(group.factors):
            if factor.metric and factor.metric not in known:
                path = f"groups.{g}.factors.{f}.metric"
                check.fault(path, "no_metric", message, metric=factor.metric)
    for c, cap in enumerate(config.caps):
        if cap.metric and cap.metric not in known:
            check.fault(f"caps.{c}.when.metric", "no_metric", message, metric=cap.metric)
