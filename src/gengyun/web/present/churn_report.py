"""The back-test report as a leader reads it: five answers, then the plot and tables. Pure.

Everything comes from the stored result (`churn.calc.report`); nothing is computed here but places
on the plot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.churn.calc import trust
from gengyun.web.present import churn_findings as findings
from gengyun.web.present import format as plain
from gengyun.web.present.churn_findings import number, points, share
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

Report = Mapping[str, Any]
PLOT = 300  # units of the reliability plot, inside its axes
STEPS = (0.02, 0.05, 0.1, 0.2)  # of its axes


@dataclass(frozen=True)
class Answer:
    """One of the five questions of a leader."""

    key: str
    question: str
    lines: list[str]
    grave: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Dot:
    """A bar of the plot, in units of the drawing, and what its row of the table says."""

    place: int
    x: float
    y: float
    top: float
    bottom: float
    count: int
    lost: int
    said: str
    came: str
    interval: str
    is_off: bool


@dataclass(frozen=True)
class Plot:
    dots: list[Dot]
    ticks: list[tuple[float, str]]
    finding: str


def event_name(event: str) -> str:
    return _("falls silent") if event == "silent" else _("does not renew")


def verdict_words(report: Report) -> str:
    """The finding in one sentence, as the head of the page says it."""
    found = trust.verdict(report)
    words = {"events": report["counts"]["events"], "least": report.get("least", "")}
    return {
        trust.GOOD: _("It puts those who leave above those who stay, and its figures can be taken "
                      "as they are."),
        trust.RANKS: _("It puts those who leave above those who stay, but its figures are off: "
                       "use the order, not the percentages."),
        trust.UNPROVEN: _("It has not been shown to know more than the rate of the tier: do not "
                          "act on it alone."),
        trust.REFUSED: _("Too few outcomes: %(events)s losses could be looked at, from %(least)s "
                         "on there is something to say."),
    }[found] % words  # fmt: skip


def tone(report: Report) -> str:
    """Colour of the verdict's tag, and its word."""
    return {trust.GOOD: "a", trust.RANKS: "c", trust.UNPROVEN: "d", trust.REFUSED: ""}[
        trust.verdict(report)
    ]


def tone_word(report: Report) -> str:
    return {
        trust.GOOD: pgettext("verdict", "to be believed"),
        trust.RANKS: pgettext("verdict", "order only"),
        trust.UNPROVEN: pgettext("verdict", "unproven"),
        trust.REFUSED: pgettext("verdict", "too few outcomes"),
    }[trust.verdict(report)]


def answers(report: Report, names: "Names") -> list[Answer]:
    return [
        Answer("event", _("What event?"), [_event(report)]),
        Answer("horizon", _("What horizon?"), [_horizon(report)]),
        Answer("outcomes", _("How many outcomes?"), _outcomes(report)),
        Answer("good", _("How good?"), _how_good(report)),
        _when_not(report, names),
    ]


@dataclass(frozen=True)
class Names:
    """Names of what the report holds keys of."""

    tiers: Mapping[str, str]
    features: Any  # key -> name

    def tier(self, key: str) -> str:
        return self.tiers.get(key) or (key or _("no tier"))


def _event(report: Report) -> str:
    if report["event"] == "silent":
        return _(
            "The customer falls silent: no use at all for %(days)s days. It stands in for not "
            "renewing, because there are no contracts here."
        ) % {"days": report["silent_days"]}
    return _(
        "The renewal is lost: %(days)s days after the contract's last day no successor is signed, "
        "or at most a tenth of the amount. Getting smaller is not counted as lost."
    ) % {"days": report["settings"]["grace_days"]}


def _horizon(report: Report) -> str:
    lead = report["settings"]["lead"]
    others = [lag for lag in reversed(report["lags"]) if lag != lead]
    if report["event"] == "silent":
        return _("From the day it is said, the next %(days)s days.") % {
            "days": report["silent_days"]
        }
    text = _("Said %(lead)s days before the due date, about that date.") % {"lead": lead}
    if others:
        days = pgettext("list", ", ").join(str(lag) for lag in others)
        text += _(" Beside it: %(days)s days before.") % {"days": days}
    return text


def _outcomes(report: Report) -> list[str]:
    counts = report["counts"]
    if not counts["outcomes"]:
        return [_("None that could be looked at.")]
    words = {
        "outcomes": plain.count(counts["outcomes"]),
        "accounts": plain.count(counts["accounts"]),
        "events": plain.count(counts["events"]),
        "rate": share(counts["rate"], 1),
    }
    if report["event"] == "silent":
        text = _("%(accounts)s customers were looked at %(outcomes)s times; %(events)s fell silent "
                 "(%(rate)s).")  # fmt: skip
    else:
        text = _("%(outcomes)s renewals of %(accounts)s customers came due; %(events)s were lost "
                 "(%(rate)s).")  # fmt: skip
    lines = [text % words]
    if counts["due_from"]:
        lines.append(
            _("Due %(first)s to %(last)s. Each was judged by a model that knew nothing later than "
              "the start of its quarter and had not seen that customer.") % {
                "first": day(counts["due_from"]), "last": day(counts["due_to"])
            }
        )  # fmt: skip
    return lines


def _how_good(report: Report) -> list[str]:
    if report.get("refused"):
        return [_("It cannot be said yet.")]
    model, base = report["methods"]["model"], report["methods"]["base_rate"]
    auc, skill = model["auc"], model["skill"]
    return [
        _("Order: of one that was lost and one that was kept it puts the lost one higher in "
          "%(auc)s of cases (%(interval)s). Chance: 50%%; the rate of the tier: %(base)s.") % {
            "auc": share(auc["value"]), "interval": between(auc),
            "base": share(base["auc"]["value"]),
        },
        _("Figures: it said %(said)s on average, %(came)s came. By tenths it was off by %(ece)s "
          "points; a perfect model would be off by up to %(chance)s on so few.") % {
            "said": share(model["said"], 1), "came": share(report["counts"]["rate"], 1),
            "ece": points(model["ece"]["value"]), "chance": points(model["ece_by_chance"]["value"]),
        },
        _("List: of the fifth with the highest probability %(precision)s were lost; they are "
          "%(recall)s of all losses.") % {
            "precision": share(model["precision20"]["value"]),
            "recall": share(model["recall20"]["value"]),
        },
        _("Error: %(gain)s than the rate of the tier alone makes (%(interval)s).") % {
            "gain": gained(skill["value"]), "interval": _gained_between(skill)
        },
    ]  # fmt: skip


def _when_not(report: Report, names: Names) -> Answer:
    found = trust.reservations(report)

    def said(one: Any) -> str:
        return findings.sentence(one, names.tier, names.features)

    return Answer(
        "not",
        _("When not to trust it?"),
        [said(one) for one in found if one["kind"] in findings.MILD],
        [said(one) for one in found if one["kind"] not in findings.MILD],
    )


def between(figure: Mapping[str, float | None]) -> str:
    """An interval of shares: 77–85%."""
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return _("no interval")
    return f"{plain.percent(low)[:-1]}–{plain.percent(high)}"


def gained(skill: float | None) -> str:
    """8% less; of an error that is greater 8% more, never −8% less."""
    if skill is None:
        return plain.UNKNOWN
    size = {"share": share(abs(skill))}
    return _("%(share)s more") % size if skill < 0 else _("%(share)s less") % size


def _gained_between(figure: Mapping[str, float | None]) -> str:
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return _("no interval")
    return _("%(low)s to %(high)s") % {"low": gained(low), "high": gained(high)}


def span(figure: Mapping[str, float | None] | None, digits: int = 2) -> str:
    """An interval of plain figures: 0.77–0.85."""
    low, high = (figure or {}).get("low"), (figure or {}).get("high")
    if low is None or high is None:
        return ""
    return f"{number(low, digits)}–{number(high, digits)}"


def day(text: str | None) -> str:
    return plain.day_full(date.fromisoformat(text[:10]), zh=is_zh()) if text else plain.UNKNOWN


# --- the reliability plot ------------------------------------------------------------------------


def plot(bins: Sequence[Mapping[str, Any]]) -> Plot:
    """Said across, came up; a bar per tenth with the interval of what came. Scale 0 to `top`."""
    most = max((max(one["said"], one["high"]) for one in bins), default=0.1)
    step = next((step for step in STEPS if most <= 5 * step), STEPS[-1])
    top = step * max(1, -(-most // step))
    dots = [_dot(place, one, top) for place, one in enumerate(bins)]
    steps = [step * part for part in range(round(top / step) + 1)]
    return Plot(
        dots=dots,
        ticks=[(round(PLOT * at / top, 1), share(at)) for at in steps],
        finding=_plot_finding(dots),
    )


def _dot(place: int, one: Mapping[str, Any], top: float) -> Dot:
    def at(value: float) -> float:
        return round(PLOT * value / top, 1)

    return Dot(
        place=place,
        x=at(one["said"]),
        y=PLOT - at(one["came"]),
        top=PLOT - at(one["high"]),
        bottom=PLOT - at(one["low"]),
        count=one["count"],
        lost=one["lost"],
        said=share(one["said"], 1),
        came=share(one["came"], 1),
        interval=f"{plain.percent(one['low'])[:-1]}–{plain.percent(one['high'])}",
        is_off=not one["low"] <= one["said"] <= one["high"],
    )


def _plot_finding(dots: Sequence[Dot]) -> str:
    off = sum(dot.is_off for dot in dots)
    words = {"off": off, "all": len(dots)}
    if not off:
        return (
            _("In all %(all)s groups what was said lies within the interval of what came.") % words
        )
    return _(
        "In %(off)s of %(all)s groups what was said lies outside the interval of what came."
    ) % (words)
