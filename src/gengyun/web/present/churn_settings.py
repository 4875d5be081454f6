"""The settings of the churn probability as a form: every number beside its source. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gengyun.churn.calc.standards import BaseRate, Threshold, Weight, shipped
from gengyun.churn.calc.table import Feature
from gengyun.web.present import churn_names
from gengyun.web.present import format as plain
from gengyun.web.present.churn_card import source_name
from gengyun.web.words import gettext as _

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


# --- what saving would do ------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """Of a tier: its open renewals, and the mean probability now and under what was typed."""

    name: str
    count: int
    now: str
    then: str


def effects_of(kinds: Collection[str], events: int | None) -> list[str]:
    """What each kind of change does, once each. `kinds`: fields of the settings that would change;
    `events`: lost renewals that the model in use has learned from, None while it is an estimate."""
    said = []
    if {"event", "grace_days", "silent_days"} & set(kinds):
        said.append(
            _("Another event or other days ask another question: a model is trained for it tonight "
              "and replaces the one in use outright, without having to show that it is better.")
        )  # fmt: skip
    if {"weights", "base_rates"} & set(kinds):
        said.append(
            _("The estimate of the next night is made of these numbers. What was said before stays "
              "as it was said.")
            if events is None
            else _("The model in use has learned from %(events)s lost renewals. New weights and "
                   "rates only move where learning starts: a model is trained under them tonight, "
                   "and takes over when it has shown that it is better.") % {"events": events}
        )  # fmt: skip
    if "thresholds" in kinds:
        said.append(
            _("Thresholds change no probability: they say when there is an alert, when the model "
              "and the CSM disagree, and when a model is checked or trained anew.")
        )  # fmt: skip
    return said


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
