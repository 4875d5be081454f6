"""The card of a churn model: what it is of, what it learned from, what moves it, who let it speak.

Pure. Everything is read from the stored row; the content is a value (`churn.calc.model`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gengyun.web.present import churn_names
from gengyun.web.present import format as plain
from gengyun.web.present.churn_findings import number, points, share
from gengyun.web.present.churn_report_tables import Cell, Line, Sheet
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

LEAST_USED = 1e-9


@dataclass(frozen=True)
class Weight:
    """One input of a model."""

    key: str
    name: str
    group: str
    expert: str  # weight and way that people gave it
    source: str
    share: float  # of all that moves the probability, 0 to 100
    share_text: str
    is_used: bool


def rung_name(rung: str) -> str:
    return {
        "L0": _("L0 experience: the company's weights on a stated rate"),
        "L1": _("L1 a scorecard that learns: a logistic regression around the company's weights"),
        "L2": _("L2 curves and small trees together, each only in the direction that makes sense"),
        "L3": _("L3 several models stacked"),
        "plain": _("a plain logistic regression: it won the race"),
    }.get(rung, rung)


def state_name(state: str) -> str:
    return {
        "champion": pgettext("model", "in use"),
        "challenger": pgettext("model", "waits to show that it is better"),
        "retired": pgettext("model", "retired"),
    }.get(state, state)


def event_words(row: Any) -> str:
    """The event of a model with its days."""
    if row.event == "silent":
        return _("No use at all for %(days)s days.") % {
            "days": row.settings.get("silent_days", 180)
        }
    return _(
        "No successor signed %(days)s days after the contract's last day, or at most a tenth of "
        "the amount."
    ) % {"days": row.settings.get("grace_days", 60)}


def reason_words(reason: str) -> str:
    """Why a model was made."""
    return {
        "first": _("the first"),
        "features": _("the inputs changed"),
        "settings": _("the settings changed"),
        "monthly": _("monthly"),
        "outcomes": _("enough further outcomes"),
        "drift": _("what came no longer fitted what was said"),
        "recalibrate": _("only its level was set right"),
        "asked": _("asked for by a person"),
    }.get(reason, reason)


def notes(row: Any) -> list[str]:
    """What a reader must know, from the training."""
    return [text for note in row.metrics.get("notes", []) if (text := _note(note))]


def _note(note: Mapping[str, Any]) -> str:
    if note["key"] == "without_trees":
        return _("Trained without trees: LightGBM is not installed here.")
    if note["key"] == "too_few_events":
        return _(
            "%(events)s lost renewals are too few to learn from; from %(needed)s on it learns."
        ) % {"events": note["events"], "needed": note["needed"]}
    if note["key"] == "sampled":
        return _("Learned from a part of the customers: %(rows)s rows are more than it needs.") % {
            "rows": f"{note['rows']:,}"
        }
    if note["key"] == "no_race":
        return _("Too little history to compare several kinds out of time.")
    if note["key"] == "no_signal":
        return _("It has not been shown to know more than the average rate: confidence stays low.")
    return ""


LEAST_OF_A_GROUP = 0.1


def experts_rejected(content: Mapping[str, Any]) -> bool:
    """k = 0, and of no group either: the outcomes speak against the company's weights (science.md
    4.3)."""
    for member in content.get("members", []):
        settings = (member["content"] or {}).get("settings") or {}
        if settings and "k" in settings:
            return settings["k"] == 0 and settings.get("tau_group", 0) < LEAST_OF_A_GROUP
    return False


def settings_of(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(member, its settings): k, τ as learned from the outcomes."""
    found = []
    for member in content.get("members", []):
        settings = (member["content"] or {}).get("settings") or {}
        text = pgettext("list", ", ").join(
            f"{_symbol(key)} = {plain.number(value, 3)}" for key, value in settings.items()
        )
        found.append((member_name(member["name"]), text))
    return found


def _symbol(key: str) -> str:
    return {"k": "k", "tau": "τ", "tau_group": "τ₁", "tau_bend": "τ₂"}.get(key, key)


def member_name(name: str) -> str:
    return {
        "scorecard": _("scorecard"),
        "plain": _("plain logistic regression"),
        "expert": _("logistic regression around the company's weights"),
        "bent": _("curves"),
        "monotone": _("trees, in one direction"),
        "forest": _("forest"),
        "free": _("free trees"),
        "base_rate": _("rate of all"),
        "L1": "L1",
        "L2": "L2",
        "L3": "L3",
    }.get(name, name)


def source_name(source: str) -> str:
    return {
        "assumption": _("assumption"),
        "convention": _("usual in the trade"),
        "measured": _("measured"),
        "stated": _("stated by the company"),
    }.get(source, source)


def weights(content: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Weight]:
    """Inputs by how much they move the probability; those that it does not use last."""
    importance = content.get("importance") or []
    features = content.get("features", [])
    total = sum(importance) or 1.0
    sources = settings.get("weights", {})
    found = []
    for place, feature in enumerate(features):
        part = importance[place] / total if place < len(importance) else 0.0
        weight, source = sources.get(feature["key"], [feature["weight"], ""])
        found.append(
            Weight(
                key=feature["key"],
                name=churn_names.feature_name(feature["key"]),
                group=feature["group"],
                expert=_expert(weight, feature["sign"]),
                source=source_name(source),
                share=round(100 * part, 1),
                share_text=share(part),
                is_used=part > LEAST_USED,
            )
        )
    return sorted(found, key=lambda one: (-one.share, one.name))


def _expert(weight: float, sign: int) -> str:
    if not sign:
        return _("no direction")
    way = _("more is more risk") if sign > 0 else _("more is less risk")
    return f"{plain.number(weight)} {way}"


def race(row: Any) -> Sheet | None:
    """What ran against what before this model was chosen."""
    entries: Sequence[Mapping[str, Any]] = row.race.get("entries", [])
    if not entries:
        return None
    lines = [
        Line(
            member_name(one["name"]),
            [
                Cell(number(one["log_loss"], 4)),
                Cell(
                    plain.signed(one["gain"] * 1000, 1),
                    under=f"± {plain.number(one['error'] * 1000, 1)}",
                ),
                Cell(number(one["auc"])),
                Cell(number(one["brier"], 3)),
                Cell(number(one["slope"])),
            ],
            is_first=one["name"] == row.rung,
        )
        for one in entries
    ]
    columns = [
        (_("Log-loss"), _("smaller is better")),
        (_("Gain, thousandths"), _("over the plain logistic regression, with its standard error")),
        ("AUC", _("of one lost and one kept, how often the lost one stands higher; 0.5 is chance")),
        ("Brier", _("mean squared distance from what came; smaller is better")),
        (_("Slope"), _("1: high and low are told apart as they should; under 1 too boldly")),
    ]
    when = _("later than learned from") if row.race.get("in_time") else _("other customers")
    note = _("%(rows)s rows, %(events)s lost; %(when)s") % {
        "rows": plain.count(row.race.get("rows")),
        "events": plain.count(row.race.get("events")),
        "when": when,
    }
    return Sheet("race", _("The race it was chosen in"), note, _("Kind"), columns, lines)


def guard(row: Any) -> str:
    """Why it took over, or waits."""
    found = row.race.get("guard")
    if not found:
        return ""
    words = {"outcomes": found["outcomes"], "events": found["events"]}
    return {
        "better": _("Better than the one before on %(outcomes)s later outcomes by more than one "
                    "standard error."),
        "too_few": _("Only %(outcomes)s outcomes (%(events)s lost) came since: too few to show "
                     "that it is better."),
        "not_better": _("Not better than the one before on %(outcomes)s later outcomes by more "
                        "than one standard error."),
        "tier_off": _("Better on the whole, but a tier moved further from what came by more than 5 "
                      "points."),
    }.get(found["reason"], "") % words  # fmt: skip


def drift_line(check: Any) -> dict[str, str]:
    """A night's look in words."""
    moved = [
        f"{churn_names.feature_name(key)} {plain.number(value, 2)}"
        for key, value in sorted(check.psi.items(), key=lambda row: -(row[1] or 0))
        if value is not None and value > 0.25
    ]
    return {
        "day": plain.day_full(check.as_of, zh=is_zh()),
        "cusum": plain.UNKNOWN if check.cusum is None else plain.signed(check.cusum, 2),
        "decided": plain.count(check.decided),
        "moved": pgettext("list", ", ").join(moved[:5]) or "—",
        "action": {
            "none": pgettext("drift", "nothing to do"),
            "recalibrate": pgettext("drift", "level set right"),
            "retrain": pgettext("drift", "trained anew"),
        }.get(check.action, check.action),
    }


def shifted(value: float) -> str:
    """A recalibration in words."""
    return _(
        "The level was moved by %(shift)s on the logit; at 30%% that is %(points)s points."
    ) % {
        "shift": plain.signed(value, 2),
        "points": points(_at_thirty(value) - 0.3),
    }


def _at_thirty(shift: float) -> float:
    """What 30 % becomes."""
    from math import exp, log

    return 1 / (1 + exp(-(log(0.3 / 0.7) + shift)))
