"""The language of metrics: what a definition may say, checked, and as a sentence.

{"aggregate": "count"|"users"|"active_days"|"sum"|"breadth"|"days_since",
 "events": null | ["name", ...],      null: every track, page and screen call
 "property": "rows",                  sum only: whose numbers are added
 "feature": "module",                 breadth only: whose distinct values count;
                                      without it the distinct event names count
 "window_days": 30}                   not for days_since, which looks at all time
{"ratio": {"numerator": "key", "denominator": {"metric": "key"} | {"field": "seats"}}}
{"change": "key"}                     (window - window before) / window before
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.kernel.errors import Refusal

AGGREGATES = ("count", "users", "active_days", "sum", "breadth", "days_since")
FIELDS = ("seats", "arr_minor")  # customer fields that a ratio may divide by
LONGEST_WINDOW = 3660


class DefinitionInvalid(Refusal):
    """`path` says where in the definition; the message what is wrong there."""

    code = "metric_definition_invalid"

    def __init__(self, path: str, message: str, **params: Any) -> None:
        self.path = path
        super().__init__(message, **params)


@dataclass(frozen=True)
class Base:
    """A number counted from events; window_days None: all time (days_since)."""

    aggregate: str
    window_days: int | None
    events: tuple[str, ...] | None = None
    property: str | None = None
    feature: str | None = None


@dataclass(frozen=True)
class Ratio:
    numerator: str
    metric: str | None = None  # the denominator is a metric
    field: str | None = None  # or a field of the customer


@dataclass(frozen=True)
class Change:
    metric: str


Definition = Base | Ratio | Change


def parse_definition(raw: object, bases: Mapping[str, Base] | None = None) -> Definition:
    """The definition, or DefinitionInvalid. `bases` are the metrics a reference may name.

    References reach base metrics only: a ratio of a ratio would hide what is divided. With
    `bases` None the references are not looked up.
    """
    if not isinstance(raw, dict):
        raise DefinitionInvalid("", "The definition must be an object.")
    kinds = [name for name in ("aggregate", "ratio", "change") if name in raw]
    if len(kinds) != 1:
        raise DefinitionInvalid("", "Exactly one of aggregate, ratio and change is needed.")
    if kinds == ["ratio"]:
        _only(raw, {"ratio"}, "")
        return _ratio(raw["ratio"], bases)
    if kinds == ["change"]:
        _only(raw, {"change"}, "")
        base = _reference(raw["change"], "change", bases)
        if base is not None and base.window_days is None:
            raise DefinitionInvalid("change", "A metric without a window has no window before.")
        return Change(raw["change"])
    return _base(raw)


def _base(raw: dict[str, Any]) -> Base:
    aggregate = raw["aggregate"]
    if aggregate not in AGGREGATES:
        raise DefinitionInvalid(
            "aggregate", "Unknown aggregate: %(value)s.", value=str(aggregate)[:40]
        )
    allowed = {"aggregate", "events"}
    allowed |= {"sum": {"property"}, "breadth": {"feature"}}.get(aggregate, set())
    window: int | None = None
    if aggregate != "days_since":
        allowed.add("window_days")
        window = _window(raw.get("window_days"))
    _only(raw, allowed, "")
    text = _name(raw.get("property"), "property") if aggregate == "sum" else None
    feature = None
    if raw.get("feature") is not None:
        feature = _name(raw["feature"], "feature")
    return Base(aggregate, window, _events(raw.get("events")), text, feature)


def _window(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionInvalid("window_days", "The window must be a whole number of days.")
    if not 1 <= value <= LONGEST_WINDOW:
        raise DefinitionInvalid(
            "window_days", "The window must have 1 to %(most)s days.", most=LONGEST_WINDOW
        )
    return value


def _events(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise DefinitionInvalid("events", "Events must be a list of names, or null for all.")
    return tuple(sorted({_name(name, "events") for name in value}))


def _name(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise DefinitionInvalid(path, "A name of 1 to 200 characters is needed.")
    return value


def _ratio(raw: object, bases: Mapping[str, Base] | None) -> Ratio:
    if not isinstance(raw, dict) or not isinstance(raw.get("denominator"), dict):
        raise DefinitionInvalid("ratio", "A ratio needs a numerator and a denominator.")
    _only(raw, {"numerator", "denominator"}, "ratio.")
    _reference(raw.get("numerator"), "ratio.numerator", bases)
    below = raw["denominator"]
    if set(below) == {"field"}:
        if below["field"] not in FIELDS:
            raise DefinitionInvalid(
                "ratio.denominator.field",
                "Unknown customer field: %(value)s.",
                value=str(below["field"])[:40],
            )
        return Ratio(raw["numerator"], field=below["field"])
    if set(below) == {"metric"}:
        _reference(below["metric"], "ratio.denominator.metric", bases)
        return Ratio(raw["numerator"], metric=below["metric"])
    raise DefinitionInvalid(
        "ratio.denominator", "The denominator is either a metric or a customer field."
    )


def _reference(value: object, path: str, bases: Mapping[str, Base] | None) -> Base | None:
    if not isinstance(value, str) or not value:
        raise DefinitionInvalid(path, "The key of a metric is needed.")
    if bases is None:
        return None
    if value not in bases:
        raise DefinitionInvalid(
            path, "%(value)s is not a metric counted from events.", value=value[:60]
        )
    return bases[value]


def _only(raw: dict[str, Any], allowed: set[str], path: str) -> None:
    for name, value in raw.items():
        if name not in allowed and value is not None:
            raise DefinitionInvalid(
                f"{path}{name}", "%(name)s has no place here.", name=str(name)[:40]
            )


def references(definition: Definition) -> set[str]:
    """The metrics that this one is made of."""
    if isinstance(definition, Ratio):
        return {definition.numerator} | ({definition.metric} if definition.metric else set())
    return {definition.metric} if isinstance(definition, Change) else set()


def bases_of(definitions: Mapping[str, Definition]) -> dict[str, Base]:
    return {key: item for key, item in definitions.items() if isinstance(item, Base)}
