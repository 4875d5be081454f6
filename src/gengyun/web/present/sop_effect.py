"""The measured effect of one SOP, ready to be drawn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.sop.calc.form import Form
from gengyun.sop.calc.measured import SHARES, ArmTold, MoneyTold, Told
from gengyun.sop.calc.sequential import LEAST_PER_ARM
from gengyun.web.present import format as plain
from gengyun.web.present.sop_effect_lines import Lines, band, pair
from gengyun.web.words import is_zh

Three = tuple[float, float, float]
WIDE, EDGE = 320.0, 34.0  # of the drawing of an interval; room for its figures


@dataclass(frozen=True)
class ArmRow:
    name: str
    key: str
    known: str
    hits: str
    mean: str
    waiting: int
    unknown: int


@dataclass(frozen=True)
class Range:
    """An interval on a line with zero marked: `outer` may be looked at daily, `inner` once."""

    zero: float
    value: float
    outer: tuple[float, float]  # x, width
    inner: tuple[float, float] | None
    low: str
    high: str
    shown: str
    label: str


@dataclass(frozen=True)
class MoneyRow:
    due: str
    kept: str
    cost: str
    net: str
    between: str


@dataclass(frozen=True)
class Panel:
    tone: str  # a d n c
    word: str
    text: str
    when: str
    versions: str
    as_of: str
    outcome: str
    is_share: bool
    arms: list[ArmRow]
    range: Range | None
    reading: str
    chances: str
    method: list[str]
    warnings: list[str]
    money: list[MoneyRow] = field(default_factory=list)
    history: Lines | None = None
    trend: Lines | None = None
    beside: str = ""
    alike: str = ""


def panel(
    effect: Any,
    told: Told,
    form: Form,
    *,
    today: date,
    since: date | None,
    metric: str = "",
    past: Sequence[tuple[date, Told]] = (),
    with_money: bool = True,
) -> Panel:
    tone, word = verdict_word(told.verdict, told)
    kind = form.outcome.kind if form.outcome else ""
    drawn = past if len(past) > 1 else ()
    return Panel(
        tone=tone,
        word=word,
        text=_text(told, kind),
        when=_when(told, kind, today),
        versions=_versions(effect, since, today),
        as_of=plain.day_full(effect.as_of, zh=is_zh()),
        outcome=outcome_sentence(form, metric),
        is_share=kind in SHARES,
        arms=_arms(told, kind),
        range=_range(told, kind),
        reading=_reading(told),
        chances=_chances(told, kind),
        method=_method(told, form),
        warnings=_warnings(effect.beside, told),
        money=[_money(one) for one in told.money] if with_money else [],
        history=_history(drawn, kind),
        **_observed(effect.observed, metric),
    )


def verdict_word(verdict: str, told: Told) -> tuple[str, str]:
    if verdict == "cannot_yet" and told.daily is None:
        return "b", _("Too few outcomes, nothing can be concluded yet")
    return {
        "helps": ("a", _("It helps")),
        "harms": ("d", _("It does harm")),
        "no_difference": ("n", _("No difference that matters")),
        "cannot_yet": ("b", _("Nothing can be concluded yet")),
        "not_randomised": ("c", _("Comparison beside others (not causal)")),
    }.get(verdict, ("n", _("No outcome is declared")))


def outcome_sentence(form: Form, metric: str = "") -> str:
    """What is compared, and when it is looked at."""
    if form.outcome is None:
        return ""
    given = {"days": form.outcome.window_days, "metric": metric or form.outcome.key}
    return {
        "renewed": _("Share of the renewals that came due and were signed within the grace"),
        "goal": _("Share that reached the goal within %(days)s days") % given,
        "health": _("Health score %(days)s days after the entry") % given,
        "metric": _("%(metric)s, %(days)s days after the entry") % given,
    }[form.outcome.kind]


def difference(value: float | None, kind: str, digits: int = 1) -> str:
    """+8 points of a share, +3.2 of a score."""
    if value is None:
        return plain.UNKNOWN
    if kind in SHARES:
        return _("%(points)s points") % {"points": plain.signed(value * 100, digits)}
    return plain.signed(value, digits)


def short(value: float, kind: str) -> str:
    return plain.signed(value * 100 if kind in SHARES else value, 0 if kind in SHARES else 1)


def level(value: float | None, kind: str) -> str:
    return plain.percent(value) if kind in SHARES else plain.number(value)


def _arms(told: Told, kind: str) -> list[ArmRow]:
    found = [_arm("treat", told.treat, kind)]
    if told.verdict != "not_randomised":
        found.append(_arm("holdout", told.holdout, kind))
    return found


def _arm(key: str, arm: ArmTold, kind: str) -> ArmRow:
    return ArmRow(
        name=_("Carried out") if key == "treat" else _("Hold-out"),
        key=key,
        known=plain.count(arm.known),
        hits=plain.count(arm.hits),
        mean=level(arm.mean, kind),
        waiting=arm.waiting,
        unknown=arm.unknown,
    )


def _text(told: Told, kind: str) -> str:
    if told.verdict == "not_randomised":
        return _(
            "Nobody was held out, so what it does cannot be known. Those worked on were chosen "
            "because they looked bad, and such customers often recover by themselves."
        )
    if told.daily is None:
        least = {"num": told.holdout.known, "least": LEAST_PER_ARM}
        return ngettext(
            "%(num)s customer of the hold-out has an outcome; with fewer than %(least)s in an arm "
            "chance decides.",
            "%(num)s customers of the hold-out have an outcome; with fewer than %(least)s in an "
            "arm chance decides.",
            told.holdout.known,
        ) % {**least, "num": plain.count(told.holdout.known)}
    if told.verdict == "cannot_yet":
        return _("The interval holds zero: it may help, and it may not.")
    return _("%(difference)s against the hold-out, between %(low)s and %(high)s.") % {
        "difference": difference(told.daily[0], kind),
        "low": short(told.daily[1], kind),
        "high": short(told.daily[2], kind),
    }


def _when(told: Told, kind: str, today: date) -> str:
    if told.verdict != "cannot_yet" or told.needed is None:
        return ""
    worth = {"worth": difference(told.worth, kind).lstrip("+"), "missing": told.missing}
    if not told.missing:
        return _("A difference of %(worth)s would mostly have been seen by now.") % worth
    worth["missing"] = plain.count(told.missing)
    if told.concludes_on is None:
        return (
            _("To see %(worth)s, %(missing)s more outcomes are needed: not soon at this pace.")
            % worth
        )
    worth["month"] = month_of(told.concludes_on)
    return (
        _(
            "At the present pace a difference of %(worth)s could be seen about %(month)s; "
            "%(missing)s more outcomes are needed."
        )
        % worth
    )


def month_of(day: date) -> str:
    if is_zh():
        return f"{day.year} 年 {day.month} 月"
    return f"{plain.MONTHS_EN[day.month - 1]} {day.year}"


def _versions(effect: Any, since: date | None, today: date) -> str:
    last = effect.version.number
    numbers = str(last) if effect.first_number == last else f"{effect.first_number}–{last}"
    said = _("version %(number)s") % {"number": numbers}
    if since is None:
        return said
    day = plain.day_full(since, zh=is_zh())
    return _("%(versions)s, entries since %(day)s") % {"versions": said, "day": day}


def _range(told: Told, kind: str) -> Range | None:
    outer = told.daily or told.exact
    if outer is None:
        return None
    inner = told.exact if told.daily is not None else None
    low, high = min(outer[1], 0.0), max(outer[2], 0.0)
    scale = (WIDE - 2 * EDGE) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return round(EDGE + (value - low) * scale, 1)

    def span(three: Three) -> tuple[float, float]:
        return x(three[1]), round(max(x(three[2]) - x(three[1]), 1.0), 1)

    label = _("Difference %(value)s, 95 %% interval from %(low)s to %(high)s") % {
        "value": difference(outer[0], kind),
        "low": short(outer[1], kind),
        "high": short(outer[2], kind),
    }
    return Range(
        zero=x(0.0),
        value=x(outer[0]),
        outer=span(outer),
        inner=span(inner) if inner else None,
        low=short(outer[1], kind),
        high=short(outer[2], kind),
        shown=difference(outer[0], kind),
        label=label,
    )


def _reading(told: Told) -> str:
    if told.exact is None:
        return ""
    if told.daily is None:
        return _("95 %% interval of a single look; it is not judged by, with so few.") % {}
    return (
        _(
            "Light: 95 %% interval that may be looked at every day; the verdict is its. Dark: "
            "ordinary 95 %% interval, right only for one look at the end."
        )
        % {}
    )


def _chances(told: Told, kind: str) -> str:
    if told.better is None or told.same is None or told.worse is None:
        return ""
    return _(
        "Chance that it is better by more than %(rope)s: %(better)s; as good as no difference: "
        "%(same)s; worse: %(worse)s."
    ) % {
        "rope": difference(told.rope, kind).lstrip("+"),
        "better": plain.percent(told.better),
        "same": plain.percent(told.same),
        "worse": plain.percent(told.worse),
    }


def _method(told: Told, form: Form) -> list[str]:
    if told.verdict == "not_randomised":
        return []
    found = [
        _(
            "%(share)s are held out by chance, evenly within thirds of the churn probability and "
            "tiers; who it is cannot be chosen."
        )
        % {"share": plain.percent(form.holdout)},
        _(
            "Everybody counts in the arm in which chance placed them, whatever they got (intention "
            "to treat); the outcome of both is read on the day that was declared before the start."
        ),
    ]
    if told.reduction > 0.005:
        found.append(
            _(
                "What was known at the entry (churn probability, the value before) takes away "
                "%(share)s of the variance (CUPED)."
            )
            % {"share": plain.percent(told.reduction)}
        )
    if told.needed is not None and told.verdict == "cannot_yet":
        found.append(
            _("To see the difference worth seeing with a chance of 80 %%: %(needed)s outcomes.")
            % {"needed": plain.count(told.needed)}
        )
    return found


def _warnings(beside: dict[str, int], told: Told) -> list[str]:
    found = []
    if overlap := beside.get("overlap"):
        found.append(
            ngettext(
                "%(num)s customer is in another measured SOP at the same time: each may disturb "
                "what the other shows.",
                "%(num)s customers are in another measured SOP at the same time: each may disturb "
                "what the other shows.",
                overlap,
            )
            % {"num": plain.count(overlap)}
        )
    said = {
        "not_random": pgettext("not counted", "started by hand"),
        "again": pgettext("not counted", "entered again"),
        "no_renewal": pgettext("not counted", "nothing comes due"),
    }
    parts = [
        f"{said[key]} {plain.count(count)}"
        for key, count in beside.items()
        if key in said and count
    ]
    if parts and told.verdict != "not_randomised":
        joined = ("、" if is_zh() else ", ").join(parts)
        found.append(_("Not counted: %(parts)s.") % {"parts": joined})
    return found


def _money(one: MoneyTold) -> MoneyRow:
    zh = is_zh()

    def amount(minor: float | None) -> str:
        return plain.money(None if minor is None else round(minor), one.currency, zh=zh)

    low, high = (one.net or one.kept)[1:]
    return MoneyRow(
        due=amount(one.due_minor),
        kept=amount(one.kept[0]),
        cost=amount(one.cost),
        net=amount(one.net[0] if one.net else None),
        between=_("%(low)s to %(high)s") % {"low": amount(low), "high": amount(high)},
    )


def _history(past: Sequence[tuple[date, Told]], kind: str) -> Lines | None:
    known = [(day, told.daily) for day, told in past if told.daily is not None]
    if len(known) < 2:
        return None
    return band(known, lambda value: short(value, kind), zh=is_zh())


def _observed(seen: dict[str, Any], metric: str) -> dict[str, Any]:
    if not seen:
        return {}
    change = seen["change"]
    given = {
        "worked": plain.count(seen["worked_on"]),
        "others": plain.count(seen["others"]),
        "weeks": seen["weeks"],
        "what": _("the health score") if seen["by"] == "health" else metric or seen["key"],
        "value": plain.signed(change["value"], 1),
        "low": plain.signed(change["low"], 1),
        "high": plain.signed(change["high"], 1),
    }
    beside = _(
        "%(worked)s worked on beside %(others)s with the same churn probability: after %(weeks)s "
        "weeks %(what)s changed by %(value)s against theirs (%(low)s to %(high)s)."
    )
    alike = ""
    if seen["went_alike"] is False:
        alike = _(
            "They did not go alike before the entry either: this comparison says nothing at all."
        )
    elif seen["went_alike"]:
        alike = _("Before the entry they went alike. That is needed, and it proves nothing.")
    return {"beside": beside % given, "alike": alike, "trend": pair(seen["trend"], zh=is_zh())}


def outcome_of(row: Any, form: Form, *, today: date) -> tuple[str, str]:
    """(tone, words) of what became of one run."""
    kind = form.outcome.kind if form.outcome else ""
    if row.reason:
        return "n", _("not counted: %(why)s") % {"why": row.get_reason_display()}
    if row.value is None:
        day = plain.day(row.mature_on, today=today, zh=is_zh())
        return "", _("is read on %(day)s") % {"day": day}
    if kind not in SHARES:
        return "", plain.number(row.value)
    if kind == "renewed":
        return ("a", _("renewed")) if row.value else ("d", _("not renewed"))
    return ("a", _("reached")) if row.value else ("n", _("not reached"))
