"""Where a customer stands in its journey: criteria, goals, pace, and the next move. Pure.

A criterion compares a fact (a field, a metric, what was done) with a value, or is ticked by a
person:

{"fact": "days_to_renewal", "op": "lt", "value": 91}        op: gte, lt, is, in, known
{"check": "acceptance", "zh": "验收单已签", "en": "Acceptance signed"}

All criteria of a list must hold; an empty list holds never: nobody moves without a reason. A fact
that is unknown does not hold and is told apart (`None`), it is never 0.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

NUMBER_OPS = ("gte", "lt")
TEXT_OPS = ("is", "in")
MOST = 8  # criteria in a list
_CHECK_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
# a person took the customer out of a stage: the rules do not put it back for so long
HAND_HOLDS_DAYS = 60

Pace = Literal["", "on_track", "behind", "stuck"]
PACES: tuple[Pace, ...] = ("on_track", "behind", "stuck")


@dataclass(frozen=True)
class Criterion:
    fact: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Check:
    """What only a person can say."""

    key: str
    zh: str
    en: str


Item = Criterion | Check


@dataclass(frozen=True)
class StagePlan:
    """A stage as the rules need it."""

    key: str
    position: int
    entry: tuple[Item, ...] = ()
    is_entered_by_rule: bool = False
    exit: tuple[Item, ...] = ()
    is_left_by_rule: bool = False
    exit_to: str = ""


@dataclass(frozen=True)
class Verdict:
    """One item judged: True, False, or None where the fact is unknown."""

    item: Item
    holds: bool | None
    found: Any = None


@dataclass(frozen=True)
class Step:
    """A move that is due, or one that is proposed to people."""

    to: str
    by_rule: bool
    why: Literal["entry", "exit"]
    evidence: tuple[Verdict, ...]


@dataclass(frozen=True)
class Standing:
    """What is true of one customer today."""

    facts: Mapping[str, Any]
    checked: Collection[str] = field(default_factory=frozenset)
    # stages a person took the customer out of within HAND_HOLDS_DAYS
    held_off: Collection[str] = field(default_factory=frozenset)


def parse_items(raw: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """From the stored JSON; raises `ValueError` with a code of the settings page."""
    items = tuple(_parse(entry) for entry in raw)
    if len(items) > MOST:
        raise ValueError("too_many")
    keys = [item.key for item in items if isinstance(item, Check)]
    if len(set(keys)) != len(keys):
        raise ValueError("check_twice")
    return items


def as_json(items: Iterable[Item]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if isinstance(item, Check):
            found.append({"check": item.key, "zh": item.zh, "en": item.en})
        else:
            value = list(item.value) if isinstance(item.value, tuple) else item.value
            found.append({"fact": item.fact, "op": item.op, "value": value})
    return found


def _parse(entry: Mapping[str, Any]) -> Item:
    if "check" in entry:
        return _parse_check(entry)
    fact, op, value = entry.get("fact"), entry.get("op"), entry.get("value")
    if not isinstance(fact, str) or not fact:
        raise ValueError("fact_missing")
    return Criterion(fact, str(op), _operand(op, value))


def _operand(op: object, value: Any) -> Any:
    if op == "known":
        return None
    if op in NUMBER_OPS:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) < 1e15:  # NaN fails too
            raise ValueError("value_not_a_number")
        return value
    if op == "is":
        if not isinstance(value, str | bool) or value == "":
            raise ValueError("value_missing")
        return value
    if op == "in":
        texts = tuple(str(text).strip() for text in value or () if str(text).strip())
        if not texts or isinstance(value, str):
            raise ValueError("value_missing")
        return texts
    raise ValueError("condition_unknown")


def _parse_check(entry: Mapping[str, Any]) -> Check:
    zh, en = (str(entry.get(name) or "").strip() for name in ("zh", "en"))
    if not (zh and en) or max(len(zh), len(en)) > 80:
        raise ValueError("check_without_text")
    if not _CHECK_KEY.fullmatch(str(entry["check"])):
        raise ValueError("check_without_text")
    return Check(str(entry["check"]), zh, en)


def judge(items: Sequence[Item], standing: Standing) -> tuple[Verdict, ...]:
    return tuple(_judge(item, standing) for item in items)


def _judge(item: Item, standing: Standing) -> Verdict:
    if isinstance(item, Check):
        return Verdict(item, item.key in standing.checked)
    found = standing.facts.get(item.fact)
    if found is None or found == "":
        return Verdict(item, False if item.op == "known" else None)
    return Verdict(item, _holds(item, found), found)


def _holds(item: Criterion, found: Any) -> bool:
    match item.op:
        case "gte":
            return bool(found >= item.value)
        case "lt":
            return bool(found < item.value)
        case "is" if isinstance(item.value, bool):
            return found is item.value
        case "is":
            return str(found).casefold() == str(item.value).casefold()
        case "in":
            return str(found).casefold() in {text.casefold() for text in item.value}
    return True  # known


def all_hold(verdicts: Sequence[Verdict]) -> bool:
    return bool(verdicts) and all(verdict.holds is True for verdict in verdicts)


def next_step(
    current: StagePlan | None, stages: Sequence[StagePlan], standing: Standing
) -> Step | None:
    """The move that the criteria ask for: at most one a day.

    The latest stage behind the present one whose entry holds comes first (a renewal that is due
    waits for no rollout), then the present stage's exit. A customer in no stage enters the latest
    one whose entry holds. Moves by rule go before proposals; a stage that a person took the
    customer out of lately is only proposed.
    """
    ordered = sorted(stages, key=lambda stage: stage.position)
    here = current.position if current is not None else -1
    found: list[Step] = []
    for stage in reversed([stage for stage in ordered if stage.position > here]):
        verdicts = judge(stage.entry, standing)
        if all_hold(verdicts):
            by_rule = stage.is_entered_by_rule and stage.key not in standing.held_off
            found.append(Step(stage.key, by_rule, "entry", verdicts))
    if current is not None:
        to = exit_of(current, ordered)
        verdicts = judge(current.exit, standing)
        if to is not None and all_hold(verdicts):
            by_rule = current.is_left_by_rule and to not in standing.held_off
            found.append(Step(to, by_rule, "exit", verdicts))
    return next((step for step in found if step.by_rule), found[0] if found else None)


def exit_of(current: StagePlan, ordered: Sequence[StagePlan]) -> str | None:
    """Where the exit leads: the stage named, or the next in order; None at the end."""
    keys = [stage.key for stage in ordered]
    if current.exit_to:
        return current.exit_to if current.exit_to in keys else None
    place = keys.index(current.key) + 1
    return keys[place] if place < len(keys) else None


def stay_days(since: date, today: date) -> int:
    """Whole days in the stage: 0 on the day of entering."""
    return max((today - since).days, 0)


def pace(since: date | None, today: date, expected: int | None, longest: int | None) -> Pace:
    """on_track up to the expected days, behind after them, stuck after the longest.

    "" where the stage has no limit, or nobody knows since when. With only one of the two limits
    the other never applies.
    """
    if since is None or (expected is None and longest is None):
        return ""
    days = stay_days(since, today)
    if longest is not None and days > longest:
        return "stuck"
    if expected is not None and days > expected:
        return "behind"
    return "on_track"
