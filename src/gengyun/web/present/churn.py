"""The churn probability in words: figure, interval, confidence, what a change would do.

What drives it is in `churn_reasons`. A probability is never said without its interval, its day and
how sure it is; where there is none, the reason stands in its place and never a 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup, escape

from gengyun.web.present import format as plain
from gengyun.web.present.churn_names import feature_name, reason_name
from gengyun.web.present.churn_reasons import sentence
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

BARS = 100.0  # width of a driver's bar
LEAST_CHANGE = 0.005


def probability(value: float | None) -> str:
    """34%; never 0% or 100%, which nobody can know."""
    if value is None:
        return plain.UNKNOWN
    if value < 0.01:
        return "<1%"
    return ">99%" if value > 0.99 else plain.percent(value)


def interval(low: float | None, high: float | None) -> str:
    """22–47%; below one per cent <1–12%, as a probability itself is told."""
    if low is None or high is None:
        return ""
    first = "<1" if low < 0.01 else str(min(99, round(100 * low)))
    last = ">99" if high > 0.99 else str(max(1, round(100 * high)))
    return f"{first}–{last}%"


def points(value: float) -> str:
    """+11 of probability; a half counts up, away from nothing."""
    return plain.signed(round(100 * value), 0)


def grade_word(grade: str) -> str:
    """How sure it is."""
    match grade:
        case "A":
            return pgettext("confidence", "high")
        case "B":
            return pgettext("confidence", "medium")
        case "C":
            return pgettext("confidence", "low")
    return pgettext("confidence", "none")


def event_word(event: str, silent_days: int = 180) -> str:
    if event == "silent":
        return _("falls silent for %(days)s days") % {"days": silent_days}
    return _("does not renew")


def refused_word(reason: str) -> str:  # noqa: PLR0911 - one sentence part per reason
    """Why nothing is said, see churn.calc.grade and reach."""
    match reason:
        case "nothing_known":
            return _("nothing is known of this customer that a model could use")
        case "too_little_known":
            return _("too little is known of this customer")
        case "out_of_date":
            return _("the newest data of this customer are too old")
        case "past_due":
            return _("the due day is past; say what came of it")
        case "too_far":
            return _("the due day is too far away")
        case "no_model":
            return _("no model has been made yet; the next night makes one")
    return _("not enough is known to say")


def of_rung(rung: str) -> str:
    """What kind of model speaks; L0 has learned from nothing and says so."""
    match rung:
        case "L0":
            return _("experience-based estimate")
        case "L1":
            return _("logistic model with the company's weights")
        case "L2":
            return _("curves and trees together")
        case "L3":
            return _("several models stacked")
    return rung


# --- in a list ----------------------------------------------------------------------------------


def cell(row: Any, *, today: date, zh: bool) -> Markup:
    """What a summary row says, with its interval below; the title holds the rest."""
    if row.churn is None:
        if not row.churn_refused:
            return Markup('<span class="gy-note">—</span>')
        said = escape(refused_word(row.churn_refused))
        return Markup(f'<span class="gy-note" title="{said}">{escape(_("not said"))}</span>')
    title = escape(in_full(row, today=today, zh=zh))
    mark = (
        f' <span class="gy-tag n">{escape(_("estimate"))}</span>' if row.churn_is_estimate else ""
    )
    return Markup(
        f'<span title="{title}">{escape(probability(row.churn))}{mark}'
        f'<span class="sub">{interval(row.churn_low, row.churn_high)}</span></span>'
    )


def change_cell(change: float | None) -> Markup:
    """▲ 21 against a month ago; more of it is worse, whatever colours a reader chose."""
    if change is None:
        return Markup('<span class="gy-note">—</span>')
    number = plain.number(abs(change), 0)
    if number == "0":
        return Markup('<span class="gy-d">0</span>')
    tone, arrow = ("bad", "▲") if change > 0 else ("good", "▼")
    return Markup(f'<span class="gy-d {tone}">{arrow} {number}</span>')


def in_full(row: Any, *, today: date, zh: bool) -> str:
    """The figure of a summary row as a sentence."""
    values = {
        "probability": probability(row.churn),
        "interval": interval(row.churn_low, row.churn_high),
        "day": plain.day(row.churn_on, today=today, zh=zh) if row.churn_on else plain.UNKNOWN,
        "grade": grade_word(row.churn_grade),
    }
    return (
        _(
            "churn probability %(probability)s (%(interval)s) at the due day %(day)s, "
            "confidence %(grade)s"
        )
        % values
    )


# --- one forecast -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Driver:
    """One reason: what moved, the fact behind it, points of probability and the bar."""

    name: str
    text: str
    points: str
    is_worse: bool
    start: float  # of the bar, 0 to 100
    width: float


@dataclass(frozen=True)
class Why:
    """From where customers like this one start to where this one stands."""

    start: str
    drivers: Sequence[Driver]
    rest: str  # points of everything that is not told; "" where that is nothing
    total: str


def why(forecast: Any) -> Why | None:
    """None where nothing is said."""
    if forecast.probability is None:
        return None
    told = [one for one in forecast.drivers if abs(one["points"]) >= LEAST_CHANGE]
    base = _base(forecast)
    shown = sum(one["points"] for one in told)
    rest = 0.0 if base is None else forecast.probability - base - shown
    start = base if base is not None else forecast.probability - shown
    return Why(
        start=probability(max(0.0, min(1.0, start))),
        drivers=_bars(told, start, getattr(forecast, "as_of", None)),
        rest=points(rest) if abs(rest) >= LEAST_CHANGE else "",
        total=probability(forecast.probability),
    )


def _base(forecast: Any) -> float | None:
    """What the model says of a customer of whom every input is ordinary, where it was kept."""
    found = getattr(forecast, "base", None)
    return None if found is None else float(found)


def _bars(
    told: Sequence[Mapping[str, Any]], start: float, as_of: date | None = None
) -> list[Driver]:
    """Bars one below the other, each beginning where the one before ended, drawn to fill."""
    ends = [start]
    for one in told:
        ends.append(ends[-1] + one["points"])
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    scale = BARS / max(high - low, 0.02)
    found = []
    for at, one in enumerate(told):
        first, last = sorted((ends[at], ends[at + 1]))
        reason = one.get("reason") or one["feature"]
        found.append(
            Driver(
                name=reason_name(reason),
                text=sentence(
                    reason,
                    one.get("fact") or {},
                    is_worse=one["points"] > 0,
                    as_of=as_of,
                    feature=one["feature"],
                ),
                points=points(one["points"]),
                is_worse=one["points"] > 0,
                start=round((first - low) * scale, 1),
                width=max(1.0, round((last - first) * scale, 1)),
            )
        )
    return found


def missing_names(keys: Sequence[str]) -> list[str]:
    """What nobody knows of this customer, as reasons, each once."""
    from gengyun.churn.calc.drivers import reason_of

    return list(dict.fromkeys(reason_name(reason_of(key)) for key in keys))


def counterfactuals(rows: Sequence[Mapping[str, Any]], now: float) -> list[str]:
    """What the model would say if something that people can bring about were so."""
    found = []
    for one in rows:
        becomes = one.get("probability", one.get("to"))
        if becomes is None:
            continue
        what = change_word(str(one.get("key") or one.get("feature") or ""))
        found.append(
            _("If %(what)s: %(now)s → %(then)s")
            % {"what": what, "now": probability(now), "then": probability(float(becomes))}
        )
    return found


def change_word(key: str) -> str:  # noqa: PLR0911 - one sentence part per change
    match key:
        case "use_back":
            return _("use came back to what it was in the quarter before")
        case "overdue_paid":
            return _("the overdue invoices were paid")
        case "disputes_settled":
            return _("the disputed invoices were settled")
        case "promises_kept":
            return _("the overdue promises were kept")
        case "feedback_answered":
            return _("their feedback was answered")
        case "problem_solved":
            return _("the unsolved problems were solved")
        case "met_decider":
            return _("somebody talked with the decision maker")
        case "in_touch":
            return _("they were contacted today")
        case "milestone_reached":
            return _("the late milestone was reached")
    return _("“%(name)s” were as it should be") % {"name": feature_name(key)}


def change_of_month(now: float | None, then: float | None) -> float | None:
    """Points against a month before."""
    if now is None or then is None:
        return None
    moved = 100 * (now - then)
    return moved if abs(moved) >= 100 * LEAST_CHANGE else 0.0


# --- beside the human call ----------------------------------------------------------------------


def apart_word(category_word: str, value: float) -> str:
    return _("CSM: %(category)s, model: %(probability)s") % {
        "category": category_word,
        "probability": probability(value),
    }


def said_of_change(change: float) -> str:
    """▲ 21 of probability, in words that fit a line."""
    arrow = "▲" if change > 0 else "▼"
    number = plain.number(abs(change), 0)
    return _("%(arrow)s %(points)s points against a month ago") % {
        "arrow": arrow,
        "points": number,
    }


def unit() -> str:
    """Header of a column of probabilities in an export."""
    return "%" if is_zh() else "percent"
