"""The language of metrics: what a definition may say, checked, and as a sentence.

{"aggregate": "count"|"users"|"active_days"|"sum"|"breadth"|"days_since"|"days_without",
 "events": null | ["name", ...],      null: every track, page and screen call
 "property": "rows",                  sum only: whose numbers are added
 "feature": "module",                 breadth only: whose distinct values count;
                                      without it the distinct event names count
 "window_days": 30,                   not for days_since and days_without: they look at all time
 "if_none": "unknown",                where nothing was counted: unknown instead of 0
 "per_days": 28,                      count, sum, active_days: the average per so many days
 "fewest_days": 14}                   with per_days: days before the customer began do not count,
                                      and before so many days with us the average is unknown
{"days": {"since": "started_on"} | {"until": "renews_on"}}    from or to a day of the customer
{"total": ["key", ...]}               the sum of those that are known
{"ratio": {"numerator": "key", "denominator": {"metric": "key"} | {"field": "seats"},
           "unknown_is_zero": true}}  an unknown numerator counts as 0
{"change": "key"}                     (window - window before) / window before
{"change": {"metric": "key", "days": 84}}    against the window that ended so many days earlier
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.kernel.errors import Refusal

AGGREGATES = ("count", "users", "active_days", "sum", "breadth", "days_since", "days_without")
WITHOUT_WINDOW = ("days_since", "days_without")
ADDITIVE = ("count", "sum", "active_days")  # an average per day makes sense: no one counts twice
FIELDS = ("seats", "arr_minor")  # customer fields that a ratio may divide by
DAY_FIELDS = ("started_on", "renews_on")  # days of a customer that days may be counted from or to
LONGEST_WINDOW = 3660
MOST_PARTS = 10


class DefinitionInvalid(Refusal):
    """`path` says where in the definition; the message what is wrong there."""

    code = "metric_definition_invalid"

    def __init__(self, path: str, message: str, **params: Any) -> None:
        self.path = path
        super().__init__(message, **params)


@dataclass(frozen=True)
class Base:
    """A number counted from events; window_days None: all time (days_since, days_without)."""

    aggregate: str
    window_days: int | None
    events: tuple[str, ...] | None = None
    property: str | None = None
    feature: str | None = None
    none_is_unknown: bool = False
    per_days: int | None = None
    fewest_days: int | None = None


@dataclass(frozen=True)
class Days:
    """Days from (`since`) or to (until) a day of the customer."""

    field: str
    since: bool = True


@dataclass(frozen=True)
class Total:
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Ratio:
    numerator: str
    metric: str | None = None  # the denominator is a metric
    field: str | None = None  # or a field of the customer
    unknown_is_zero: bool = False


@dataclass(frozen=True)
class Change:
    metric: str
    days: int | None = None  # None: the length of the metric's window


Definition = Base | Days | Total | Ratio | Change
Part = Base | Days | Total  # what other metrics may be made of
KINDS = ("aggregate", "days", "total", "ratio", "change")


def parse_definition(raw: object, parts: Mapping[str, Part] | None = None) -> Definition:
    """The definition, or DefinitionInvalid. `parts` are the metrics a reference may name.

    A ratio of a ratio is refused: it would hide what is divided. With `parts` None the
    references are not looked up.
    """
    if not isinstance(raw, dict):
        raise DefinitionInvalid("", "The definition must be an object.")
    kinds = [name for name in KINDS if name in raw]
    if len(kinds) != 1:
        raise DefinitionInvalid("", "Exactly one of %(kinds)s is needed.", kinds=", ".join(KINDS))
    if kinds == ["aggregate"]:
        return _base(raw)
    _only(raw, set(kinds), "")
    body = raw[kinds[0]]
    if kinds == ["days"]:
        return _days(body)
    if kinds == ["total"]:
        return _total(body, parts)
    return _ratio(body, parts) if kinds == ["ratio"] else _change(body, parts)


def _base(raw: dict[str, Any]) -> Base:
    aggregate = raw["aggregate"]
    if aggregate not in AGGREGATES:
        raise DefinitionInvalid(
            "aggregate", "Unknown aggregate: %(value)s.", value=str(aggregate)[:40]
        )
    allowed = {"aggregate", "events"}
    allowed |= {"sum": {"property"}, "breadth": {"feature"}}.get(aggregate, set())
    window: int | None = None
    if aggregate not in WITHOUT_WINDOW:
        allowed |= {"window_days", "if_none"}
        window = whole_days(raw.get("window_days"), "window_days")
    if aggregate in ADDITIVE:
        allowed |= {"per_days", "fewest_days"}
    _only(raw, allowed, "")
    text = _name(raw.get("property"), "property") if aggregate == "sum" else None
    feature = None
    if raw.get("feature") is not None:
        feature = _name(raw["feature"], "feature")
    if raw.get("if_none") not in (None, "zero", "unknown"):
        raise DefinitionInvalid("if_none", "Where nothing was counted: zero or unknown.")
    per, fewest = _average(raw, window)
    return Base(
        aggregate=aggregate,
        window_days=window,
        events=_events(raw.get("events")),
        property=text,
        feature=feature,
        none_is_unknown=raw.get("if_none") == "unknown",
        per_days=per,
        fewest_days=fewest,
    )


def _average(raw: dict[str, Any], window: int | None) -> tuple[int | None, int | None]:
    per = raw.get("per_days")
    per = None if per is None else whole_days(per, "per_days")
    fewest = raw.get("fewest_days")
    if fewest is None:
        return per, None
    if per is None:
        raise DefinitionInvalid("fewest_days", "This is for averages only.")
    fewest = whole_days(fewest, "fewest_days")
    if window is not None and fewest > window:
        raise DefinitionInvalid("fewest_days", "This is longer than the window.")
    return per, fewest


def whole_days(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionInvalid(path, "The window must be a whole number of days.")
    if not 1 <= value <= LONGEST_WINDOW:
        raise DefinitionInvalid(
            path, "The window must have 1 to %(most)s days.", most=LONGEST_WINDOW
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


def _days(raw: object) -> Days:
    if not isinstance(raw, dict) or set(raw) not in ({"since"}, {"until"}):
        raise DefinitionInvalid("days", "Days are counted since or until a day of the customer.")
    ((direction, field),) = raw.items()
    if field not in DAY_FIELDS:
        raise _unknown_field(f"days.{direction}", field)
    return Days(field, since=direction == "since")


def _unknown_field(path: str, value: object) -> DefinitionInvalid:
    return DefinitionInvalid(path, "Unknown customer field: %(value)s.", value=str(value)[:40])


def _total(raw: object, parts: Mapping[str, Part] | None) -> Total:
    if not isinstance(raw, list) or not 2 <= len(raw) <= MOST_PARTS:
        raise DefinitionInvalid(
            "total", "A total needs 2 to %(most)s different metrics.", most=MOST_PARTS
        )
    for key in raw:
        if isinstance(_reference(key, "total", parts), Days | Total):
            raise _not_counted("total", key)
    if len(set(raw)) < len(raw):
        raise DefinitionInvalid(
            "total", "A total needs 2 to %(most)s different metrics.", most=MOST_PARTS
        )
    return Total(tuple(raw))


def _ratio(raw: object, parts: Mapping[str, Part] | None) -> Ratio:
    if not isinstance(raw, dict) or not isinstance(raw.get("denominator"), dict):
        raise DefinitionInvalid("ratio", "A ratio needs a numerator and a denominator.")
    _only(raw, {"numerator", "denominator", "unknown_is_zero"}, "ratio.")
    zero = raw.get("unknown_is_zero")
    if zero not in (None, True, False):
        raise DefinitionInvalid("ratio.unknown_is_zero", "This is true or false.")
    _reference(raw.get("numerator"), "ratio.numerator", parts)
    below = raw["denominator"]
    if set(below) == {"field"}:
        if below["field"] not in FIELDS:
            raise _unknown_field("ratio.denominator.field", below["field"])
        return Ratio(raw["numerator"], field=below["field"], unknown_is_zero=bool(zero))
    if set(below) == {"metric"}:
        _reference(below["metric"], "ratio.denominator.metric", parts)
        return Ratio(raw["numerator"], metric=below["metric"], unknown_is_zero=bool(zero))
    raise DefinitionInvalid(
        "ratio.denominator", "The denominator is either a metric or a customer field."
    )


def _change(raw: object, parts: Mapping[str, Part] | None) -> Change:
    key, days = raw, None
    if isinstance(raw, dict):
        _only(raw, {"metric", "days"}, "change.")
        key = raw.get("metric")
        if raw.get("days") is not None:
            days = whole_days(raw["days"], "change.days")
    part = _reference(key, "change", parts)
    if part is not None and parts is not None:
        windows = windows_of(part, parts)
        if None in windows:
            raise DefinitionInvalid("change", "A metric without a window has no window before.")
        if days is None and len(windows) > 1:
            raise DefinitionInvalid(
                "change.days", "Its windows differ: say how many days earlier to look."
            )
    return Change(str(key), days)


def windows_of(part: Part, parts: Mapping[str, Part]) -> set[int | None]:
    """The windows over which a metric is counted; None: it has none."""
    if isinstance(part, Base):
        return {part.window_days}
    if isinstance(part, Days):
        return {None}
    return {
        window for key in part.metrics if key in parts for window in windows_of(parts[key], parts)
    }


def _reference(value: object, path: str, parts: Mapping[str, Part] | None) -> Part | None:
    if not isinstance(value, str) or not value:
        raise DefinitionInvalid(path, "The key of a metric is needed.")
    if parts is None:
        return None
    if value not in parts:
        raise _not_counted(path, value)
    return parts[value]


def _not_counted(path: str, value: str) -> DefinitionInvalid:
    return DefinitionInvalid(
        path, "%(value)s is no metric that this can be made of.", value=value[:60]
    )


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
    if isinstance(definition, Total):
        return set(definition.metrics)
    return {definition.metric} if isinstance(definition, Change) else set()


def parts_of(definitions: Mapping[str, Definition]) -> dict[str, Part]:
    """Those that other metrics may be made of."""
    return {key: item for key, item in definitions.items() if isinstance(item, Part)}
