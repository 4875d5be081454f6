"""What each kind of rule can be told: names, defaults and limits of its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.alerts.calc.detect import DropRule

BANDS = ("A", "B", "C", "D")
PARTS = ("decider", "champion", "user", "procurement", "other")
OPS = ("lt", "gt")  # below, above
CONFIDENCE = ("A", "B", "C")  # of a churn forecast
CAUSE_GRADES = ("high", "medium", "low")
# what about a renewal asks for a person: nobody judged it, the CSM says at risk, the checkpoint
# waits for the leader, health is in one of the bands, the churn probability stands above the mark
# of the tier, the due day passed without an outcome
WORRIES = ("unjudged", "at_risk", "disagreement", "band", "churn", "late")


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
        "worries": Several(("unjudged", "at_risk", "band", "churn", "late"), WORRIES),
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
    # R3: the churn probability rose, or stands above the mark of the tier (calc.thresholds)
    "churn_jump": {
        "jump": Number(0.7, 0.1, 5),  # on the logit
        "days": Number(30, 7, 120, whole=True),
        "least": Number(0.1, 0, 1),
        "exit_share": Number(0.8, 0.1, 1),
        "within_days": Number(180, 1, 730, whole=True),
        "grades": Several(("A", "B"), CONFIDENCE),
        "urgent": Number(0.6, 0, 1, optional=True),
    },
    # R5: a risk that somebody noted, by the grade of its cause
    "risk_noted": {
        "grades": Several(("high", "medium"), CAUSE_GRADES),
        "days": Number(90, 1, 365, whole=True),
    },
    # R9: NPS of 6 or less, or 3 less than before; with the CSM's sentiment 1 or 2 less
    "sentiment_drop": {
        "metric": Key(),
        "enter": Number(None, -1e6, 1e6, optional=True),
        "drop": Number(2, 0.01, 1e6),
        "days": Number(90, 1, 365, whole=True),
    },
    # R11: nearly all seats are in use, week after week
    "seats_full": {
        "metric": Key(),
        "enter": Number(0.9, 0, 1e6),
        "exit": Number(0.8, 0, 1e6),
        "weeks": Number(4, 1, 12, whole=True),
    },
    # somebody answered a survey with a low score: a detractor of NPS, 1-2 of CSAT, 1-3 of CES
    "survey_low": {
        "kinds": Several(("nps", "csat", "ces"), ("nps", "csat", "ces")),
        "days": Number(30, 1, 365, whole=True),
    },
    # a step of an SOP asked for it
    "asked_for": {"days": Number(30, 1, 365, whole=True)},
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
FACT_KINDS = frozenset(
    {
        "contact_left",
        "renewal_window",
        "payment_overdue",
        "seats_reduced",
        "churn_jump",
        "risk_noted",
        "survey_low",
        "asked_for",
    }
)
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
    checks: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "usage_drop": _drop_order,
        "activation_low": _activation_order,
        "score_drop": lambda p: "exit_points" if p["exit_points"] >= p["points"] else "",
        "seats_full": lambda p: "exit" if p["exit"] > p["enter"] else "",
        "metric": _metric_order,
        "payment_overdue": lambda p: _steps_order(p, ("days", "raise_days", "urgent")),
        "seats_reduced": lambda p: _steps_order(p, ("share", "urgent")),
    }
    check = checks.get(kind)
    field = check(found) if check else ""
    if field:
        raise ParamsInvalid(field, "order")


def _drop_order(found: Mapping[str, Any]) -> str:
    is_right = found["strong_z"] <= found["z"] and found["exit_ratio"] >= found["ratio"]
    return "" if is_right else "exit_ratio"


def _activation_order(found: Mapping[str, Any]) -> str:
    if found["exit"] < found["enter"]:
        return "exit"
    return "until_days" if found["until_days"] <= found["after_days"] else ""


def _metric_order(found: Mapping[str, Any]) -> str:
    enter, leave = found["enter"], found["exit"]
    if leave is None:
        return ""
    return "exit" if (leave < enter if found["op"] == "lt" else leave > enter) else ""


def _steps_order(found: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Each step lies beyond the one before; steps that are left out are passed over."""
    least = None
    for name in names:
        if found[name] is None:
            continue
        if least is not None and found[name] <= least:
            return name
        least = found[name]
    return ""
