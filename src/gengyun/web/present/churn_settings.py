"""The settings of the churn probability as a form: every number beside its source. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gengyun.churn.calc.standards import BaseRate, Threshold, Weight, shipped
from gengyun.churn.calc.table import Feature
from gengyun.web.present import churn_names
from gengyun.web.present import format as plain
from gengyun.web.present.churn_card import source_name
from gengyun.web.words import gettext as _

KEYWORDS = ("assumption", "convention", "measured", "stated")
GROUPS = (
    "use", "onboarding", "service", "sentiment", "relationship", "commercial", "profile", "metric",
)  # fmt: skip
TIER = "tier:"
OTHERS = "_"  # the rate of customers without a tier of their own, in names of fields


@dataclass(frozen=True)
class Entry:
    """One number of the form. `shipped_text`: what it is as shipped, where that differs."""

    key: str
    field: str  # name of its input
    label: str
    hint: str
    value: str
    source: str
    shipped_text: str = ""
    more: str = ""  # a second number: how many renewals a rate is worth
    is_own: bool = False


@dataclass(frozen=True)
class Group:
    key: str
    name: str
    entries: list[Entry]


def group_name(key: str) -> str:
    return {
        "use": _("Use"),
        "onboarding": _("Getting started"),
        "service": _("Service"),
        "sentiment": _("What they say"),
        "relationship": _("Relationship"),
        "commercial": _("Commercial"),
        "profile": _("Who they are"),
        "metric": _("Your own metrics"),
    }.get(key, key)


def threshold_words(key: str) -> tuple[str, str]:
    """(name, what it is for)"""
    return {
        "jump_logit": (_("Jump, on the logit"), _("A rise by this much within 30 days opens an "
                                                  "alert; 0.7 takes 20%% to 33%%.") % ()),
        "close_share": (_("Close below"), _("An alert closes under this share of what opened it.")),
        "budget_csm_week": (_("New alerts per CSM and week"), _("The marks follow from it.")),
        "budget_100_month": (_("New alerts per 100 customers and month"),
                             _("The marks follow from it; also the budget of the back-test.")),
        "disagreement_points": (_("Points apart from the CSM"),
                                _("From here on the two disagree and a leader decides.")),
        "psi_warns": (_("PSI that warns"), _("An input has moved so far from what was learned.")),
        "cusum_recalibrates": (_("CUSUM that sets the level right"), ""),
        "cusum_retrains": (_("CUSUM that trains anew"), ""),
        "retrain_days": (_("Days between trainings"), ""),
        "retrain_outcomes": (_("Outcomes that bring a training forward"), ""),
    }.get(key, (key, ""))  # fmt: skip


def number_text(value: float) -> str:
    return f"{value:.6g}"


def weight_groups(features: Iterable[Feature], now: Mapping[str, Weight]) -> list[Group]:
    by_group: dict[str, list[Entry]] = {}
    for feature in features:
        one, first = now[feature.key], shipped()["weights"].get(feature.key)
        way = {1: _("more is more risk"), -1: _("more is less risk"), 0: _("no direction")}
        by_group.setdefault(feature.group, []).append(
            Entry(
                key=feature.key,
                field=f"weight.{feature.key}",
                label=churn_names.feature_name(feature.key),
                hint=way[feature.sign],
                value=number_text(one.weight),
                source=source_name(one.source),
                shipped_text=_shipped(one.weight, first["weight"] if first else None),
            )
        )
    order = [*GROUPS, *sorted(set(by_group) - set(GROUPS))]
    return [Group(key, group_name(key), by_group[key]) for key in order if key in by_group]


def _shipped(value: float, first: float | None) -> str:
    if first is None or abs(value - first) < 1e-9:
        return ""
    return _("as shipped: %(value)s") % {"value": number_text(first)}


def rate_entries(tiers: Sequence[tuple[str, str]], now: Mapping[str, BaseRate]) -> list[Entry]:
    """A row per tier, and one for the rest."""
    found = []
    for key, name in [*tiers, ("", _("all others"))]:
        one = now.get(key) or now[""]
        first = shipped()["base_rates"].get(key) or shipped()["base_rates"][""]
        found.append(
            Entry(
                key=key,
                field=f"rate.{key or OTHERS}",
                label=name,
                hint="",
                value=number_text(one.rate * 100),
                source=source_name(one.source),
                shipped_text=_shipped(round(one.rate * 100, 4), first["rate"] * 100),
                more=number_text(one.worth),
            )
        )
    return found


def threshold_entries(
    tiers: Sequence[tuple[str, str]], now: Mapping[str, Threshold]
) -> list[Entry]:
    found = []
    for key, first in shipped()["thresholds"].items():
        name, hint = threshold_words(key)
        own = now[key]
        found.append(
            Entry(
                key, f"value.{key}", name, hint, number_text(own.value), source_name(own.source),
                _shipped(own.value, first["value"]),
            )
        )  # fmt: skip
    for tier, name in tiers:
        chosen = now.get(TIER + tier)
        found.append(
            Entry(
                TIER + tier,
                f"value.{TIER}{tier}",
                _("Probability that opens an alert: %(tier)s") % {"tier": name},
                _("In %%. Empty: it follows from the budget.") % (),
                number_text(chosen.value * 100) if chosen else "",
                source_name(chosen.source) if chosen else "",
            )
        )
    return found


# --- what was typed ------------------------------------------------------------------------------


def keyword_of(text: str) -> str:
    """The key of a source that is a word of ours; people's own words as they are."""
    return next((key for key in KEYWORDS if text in {key, source_name(key)}), text)


def number_of(text: str) -> float | None:
    cleaned = text.replace(",", "").replace("，", "").removesuffix("%").removesuffix("％").strip()
    try:
        found = float(cleaned)
    except ValueError:
        return None
    return found if isfinite(found) and abs(found) < 1e9 else None


def typed(entries: Iterable[Entry], given: Mapping[str, str]) -> list[Entry]:
    """The same rows as they were typed."""
    return [
        Entry(
            one.key,
            one.field,
            one.label,
            one.hint,
            given.get(one.field, one.value).strip(),
            given.get("source." + one.field, one.source).strip(),
            one.shipped_text,
            given.get("worth." + one.field, one.more).strip(),
        )
        for one in entries
    ]


def read(
    before: Sequence[Entry], after: Sequence[Entry], own: Mapping[str, Any], kind: str
) -> tuple[dict[str, Any], dict[str, str], list[tuple[str, str, str]]]:
    """(entries the company now has of its own, errors by field, [(what, before, after)]).

    A row left as it was stays as it is, of its own or as shipped; a row typed back to what is
    shipped is as shipped again.
    """
    kept: dict[str, Any] = {}
    errors: dict[str, str] = {}
    changes = []
    for was, now in zip(before, after, strict=True):
        if (was.value, was.more, was.source) == (now.value, now.more, now.source):
            if was.key in own:
                kept[was.key] = own[was.key]
            continue
        changes.append((now.label, _said(was), _said(now)))
        if not now.value and now.key.startswith(TIER):
            continue  # by the budget again
        row, error = _row(now, kind)
        if error:
            errors[now.field] = error
        elif not _is_shipped(now.key, row, kind):
            kept[now.key] = row
    return kept, errors, changes


def _said(one: Entry) -> str:
    return " ".join(filter(None, [one.value or "—", f"× {one.more}" if one.more else "",
                                  f"({one.source})" if one.source else ""]))  # fmt: skip


def _row(one: Entry, kind: str) -> tuple[dict[str, Any], str]:
    value = number_of(one.value)
    if value is None:
        return {}, _("A number is needed here.")
    if not one.source:
        return {}, _("Say where it comes from, or that it is an assumption.")
    source = keyword_of(one.source)
    if kind == "weights":
        return {"weight": value, "source": source}, ""
    if kind == "base_rates":
        worth = number_of(one.more)
        if worth is None:
            return {}, _("A number is needed here.")
        return {"rate": round(value / 100, 6), "worth": worth, "source": source}, ""
    if one.key.startswith(TIER):
        value /= 100
    return {"value": value, "source": source}, ""


def _is_shipped(key: str, row: Mapping[str, Any], kind: str) -> bool:
    return bool(shipped()[kind].get(key) == row)


# --- what saving would do ------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """Of a tier: its open renewals, and the mean probability now and under what was typed."""

    name: str
    count: int
    now: str
    then: str


def moved(
    rates: Sequence[tuple[str, str, float, float, Sequence[float]]],
) -> list[Effect]:
    """[(tier, name, logit shift, _, probabilities)] -> means before and after; for an estimate that
    has learned nothing the shift of a base rate is that of every customer of the tier."""
    from math import exp, log

    found = []
    for _key, name, shift, _worth, chances in rates:
        if not chances:
            continue
        now = sum(chances) / len(chances)
        then = sum(1 / (1 + exp(-(log(p / (1 - p)) + shift))) for p in chances) / len(chances)
        found.append(Effect(name, len(chances), plain.percent(now, 1), plain.percent(then, 1)))
    return found
