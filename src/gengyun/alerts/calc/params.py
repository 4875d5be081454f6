"""What each kind of rule can be told: names, defaults and limits of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.alerts.calc.detect import DropRule

BANDS = ("A", "B", "C", "D")
PARTS = ("decider", "champion", "user", "procurement", "other")
OPS = ("lt", "gt")  # below, above
# what about a renewal asks for a person: nobody judged it, the CSM says at risk, the checkpoint
# waits for the leader, health is in one of the bands, the due day passed without an outcome
WORRIES = ("unjudged", "at_risk", "disagreement", "band", "late")


@dataclass(frozen=True)
class Number:
    """A number in [least, most]; `optional`: may be null, the default then is null."""

    default: float | None
    least: float
    most: float
    whole: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Choice:
    default: str
    among: tuple[str, ...]


@dataclass(frozen=True)
class Several:
    default: tuple[str, ...]
    among: tuple[str, ...]


@dataclass(frozen=True)
class Key:
    """The key of a metric; that it exists is checked where metrics are known."""


Spec = Number | Choice | Several | Key

# kind of rule -> parameter -> what it may be
SPECS: dict[str, dict[str, Spec]] = {
    # R1: science.md 5.3. `urgent`: use below this share of its usual is one step more urgent
    "usage_drop": {
        "z": Number(DropRule.z, -20, -1),
        "strong_z": Number(DropRule.strong_z, -40, -1),
        "ratio": Number(0.8, 0.05, 1),
        "exit_ratio": Number(0.9, 0.05, 1.5),
        "min_expected": Number(5.0, 0, 100_000),
        "urgent": Number(0.4, 0, 1, optional=True),
    },
    # R2: effective days, so that holidays and weekends do not count
    "dormant": {
        "quiet_days": Number(10, 1, 200),
        "active_days": Number(20, 1, 1000, whole=True),
        "urgent": Number(20, 1, 400, optional=True),
    },
    "slow_slide": {"h": Number(4.0, 1, 50), "drift": Number(0.5, 0, 5)},
    # R8
    "activation_low": {
        "metric": Key(),
        "enter": Number(0.3, 0, 1e9),
        "exit": Number(0.4, 0, 1e9),
        "after_days": Number(45, 1, 1000, whole=True),
        "until_days": Number(180, 1, 5000, whole=True),
    },
    "stage_late": {"grace_days": Number(14, 0, 365), "urgent": Number(30, 0, 730, optional=True)},
    # R10
    "source_silent": {"days": Number(2, 0.5, 60), "urgent": Number(4, 0.5, 90, optional=True)},
    "outage": {},
    "band_change": {
        "bands": Several(("D",), BANDS[1:]),
        "days": Number(28, 1, 180, whole=True),
    },
    "score_drop": {
        "points": Number(15, 1, 100),
        "exit_points": Number(8, 0, 100),
        "days": Number(28, 1, 180, whole=True),
        "urgent": Number(25, 1, 100, optional=True),
    },
    "contact_left": {
        "parts": Several(("decider",), PARTS),
        "days": Number(30, 1, 365, whole=True),
    },
    # R4: a renewal comes due and something about it asks for a person
    "renewal_window": {
        "days": Number(90, 1, 365, whole=True),
        "worries": Several(("unjudged", "at_risk", "band", "late"), WORRIES),
        "bands": Several(("C", "D"), BANDS[1:]),
        "urgent": Number(30, 0, 365, whole=True, optional=True),
    },
    # R7: 15 / 30 / 60 days; `least`: below so much of the currency's unit nobody is told
    "payment_overdue": {
        "days": Number(15, 1, 365, whole=True),
        "raise_days": Number(30, 1, 365, whole=True, optional=True),
        "urgent": Number(60, 1, 730, whole=True, optional=True),
        "least": Number(0, 0, 1e12),
    },
    "seats_reduced": {
        "share": Number(0.1, 0.01, 1),
        "days": Number(90, 7, 365, whole=True),
        "urgent": Number(0.3, 0.01, 1, optional=True),
    },
    "metric": {
        "metric": Key(),
        "op": Choice("lt", OPS),
        "enter": Number(None, -1e12, 1e12),
        "exit": Number(None, -1e12, 1e12, optional=True),
        "evaluations": Number(1, 1, 30, whole=True),
        "urgent": Number(None, -1e12, 1e12, optional=True),
    },
}
# rules whose reading is use: silent while use itself cannot be trusted
USAGE_KINDS = frozenset({"usage_drop", "dormant", "slow_slide"})
# rules about a state of things now, judged again whenever it changes, not only at night
FACT_KINDS = frozenset({"contact_left", "renewal_window", "payment_overdue", "seats_reduced"})
COMPANY_KINDS = frozenset({"source_silent", "outage"})


class ParamsInvalid(ValueError):
    """`field` says which parameter, `reason`: missing, number, range, choice, order, unknown."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


def clean_params(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the kind, defaults filled in; ParamsInvalid for what cannot be."""
    specs = SPECS[kind]
    for name in given:
        if name not in specs:
            raise ParamsInvalid(name, "unknown")
    cleaned = {name: _clean(name, spec, given) for name, spec in specs.items()}
    _check_order(kind, cleaned)
    return cleaned


def _clean(name: str, spec: Spec, given: Mapping[str, Any]) -> Any:
    value = given.get(name)
    if isinstance(spec, Key):
        if not isinstance(value, str) or not value:
            raise ParamsInvalid(name, "missing")
        return value
    if isinstance(spec, Choice):
        value = spec.default if value in (None, "") else value
        if value not in spec.among:
            raise ParamsInvalid(name, "choice")
        return value
    if isinstance(spec, Several):
        chosen = list(spec.default if value is None else value)
        if not chosen:
            raise ParamsInvalid(name, "missing")
        if any(one not in spec.among for one in chosen):
            raise ParamsInvalid(name, "choice")
        return [one for one in spec.among if one in chosen]
    return _number(name, spec, value, is_given=name in given)


def _number(name: str, spec: Number, value: Any, *, is_given: bool) -> float | int | None:
    if value in (None, ""):
        if spec.optional:
            # left empty on purpose means none; not mentioned means the default
            return None if is_given else spec.default
        value = spec.default
    if value is None:
        raise ParamsInvalid(name, "missing")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParamsInvalid(name, "number") from None
    # a comparison with NaN is False: it is refused too
    if not spec.least <= number <= spec.most or (spec.whole and number != int(number)):
        raise ParamsInvalid(name, "range")
    return int(number) if spec.whole else number


def _check_order(kind: str, found: Mapping[str, Any]) -> None:
    """Exit must lie on the good side of enter, or an episode would flicker."""
    if kind == "usage_drop" and not (
        found["strong_z"] <= found["z"] and found["exit_ratio"] >= found["ratio"]
    ):
        raise ParamsInvalid("exit_ratio", "order")
    if kind == "activation_low":
        if found["exit"] < found["enter"]:
            raise ParamsInvalid("exit", "order")
        if found["until_days"] <= found["after_days"]:
            raise ParamsInvalid("until_days", "order")
    if kind == "score_drop" and found["exit_points"] >= found["points"]:
        raise ParamsInvalid("exit_points", "order")
    if kind == "payment_overdue":
        _check_steps(found, ("days", "raise_days", "urgent"))
    if kind == "seats_reduced":
        _check_steps(found, ("share", "urgent"))
    if kind == "metric" and found["exit"] is not None:
        is_below = found["op"] == "lt"
        if (found["exit"] < found["enter"]) if is_below else (found["exit"] > found["enter"]):
            raise ParamsInvalid("exit", "order")


def _check_steps(found: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Each step lies beyond the one before; steps that are left out are passed over."""
    least = None
    for name in names:
        if found[name] is None:
            continue
        if least is not None and found[name] <= least:
            raise ParamsInvalid(name, "order")
        least = found[name]
