"""Criteria and goals of a journey in words: what is asked, how much of it is there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.customers.calc.journeys import Check, Criterion, Item, Verdict
from gengyun.customers.queries.facts import Fact
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _


@dataclass(frozen=True)
class Row:
    """One goal or criterion. `state`: yes, no, unknown; `key` for what a person ticks."""

    text: str
    target: str
    now: str
    state: str
    key: str = ""
    by: str = ""
    on: str = ""


@dataclass(frozen=True)
class Stay:
    """A line of the history."""

    stage: Any
    entered_on: Any
    left_on: Any
    days: int
    how: str
    why: str


def rows(
    verdicts: Iterable[Verdict],
    facts: Mapping[str, Fact],
    checked: Mapping[str, Mapping[str, str]],
    *,
    zh: bool,
) -> list[Row]:
    return [_row(verdict, facts, checked, zh=zh) for verdict in verdicts]


def _row(
    verdict: Verdict,
    facts: Mapping[str, Fact],
    checked: Mapping[str, Mapping[str, str]],
    *,
    zh: bool,
) -> Row:
    state = {True: "yes", False: "no", None: "unknown"}[verdict.holds]
    item = verdict.item
    if isinstance(item, Check):
        tick = checked.get(item.key, {})
        text = item.zh if zh else item.en
        return Row(text, "", "", state, item.key, tick.get("by", ""), tick.get("on", ""))
    fact = facts.get(item.fact)
    now = "" if verdict.found is None else value_text(fact, verdict.found, zh=zh)
    return Row(fact_name(fact, item.fact, zh=zh), target(item, fact, zh=zh), now, state)


def sentence(item: Item, facts: Mapping[str, Fact], *, zh: bool) -> str:
    """ "距续约天数 少于 91 天": a criterion in one line."""
    if isinstance(item, Check):
        return item.zh if zh else item.en
    fact = facts.get(item.fact)
    name, aim = fact_name(fact, item.fact, zh=zh), target(item, fact, zh=zh)
    return f"{name} {aim}".strip()


def fact_name(fact: Fact | None, key: str, *, zh: bool) -> str:
    if fact is None:  # a metric that was retired
        return key.partition(":")[2] or key
    return fact.zh if zh else fact.en


def target(item: Criterion, fact: Fact | None, *, zh: bool) -> str:
    if item.op == "known":
        return str(_("is known"))
    if isinstance(item.value, bool):
        return "" if item.value else str(_("no"))
    if isinstance(item.value, tuple):
        words = ("、" if zh else ", ").join(item.value)
        return str(_("is %(value)s") % {"value": words})
    value = value_text(fact, item.value, zh=zh)
    words = {"gte": _("at least %(value)s"), "lt": _("under %(value)s"), "is": _("is %(value)s")}
    return str(words[item.op] % {"value": value})


def value_text(fact: Fact | None, value: Any, *, zh: bool) -> str:
    """A value in the unit of its fact."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, str):
        return value
    kind = fact.kind if fact else "number"
    if kind == "money":
        return str(plain.money(round(value), zh=zh))
    if kind == "share":
        return f"{plain.number(value * 100)}%"
    if kind == "days":
        return str(_("%(n)s days") % {"n": plain.number(value)})
    return str(plain.number(value))
