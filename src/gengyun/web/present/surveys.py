"""Numbers of surveys as words: the value, its interval, how many, and what it means."""

from dataclasses import dataclass
from typing import Any

from gengyun.engagement.calc.surveys import LEAST_ANSWERS, Nps, group_of
from gengyun.engagement.queries.surveys import GROUPS
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _

DASH = "—"
TONES = {"promoter": "a", "high": "a", "passive": "c", "middle": "c", "detractor": "d", "low": "d"}
WINDOWS = (30, 90, 180, 365)


@dataclass(frozen=True)
class Figure:
    """`text` is "" where there are too few answers for a number."""

    text: str
    interval: str
    count: int
    beside: str = ""


def figure(kind: str, number: Any) -> Figure:
    """NPS -12 (-30 to 6), n = 42; CSAT 74%; CES 5.2 with the share of 5-7 beside it."""
    if number is None:
        return Figure("", "", 0)
    if not number.is_enough:
        return Figure("", "", number.count)
    if isinstance(number, Nps):
        ends = _between(plain.signed(number.low, 0), plain.signed(number.high, 0))
        beside = _("%(up)s promoters, %(middle)s passives, %(down)s detractors") % {
            "up": number.promoters,
            "middle": number.passives,
            "down": number.detractors,
        }
        return Figure(plain.signed(number.value, 0), ends, number.count, beside)
    if kind == "csat":
        ends = _between(plain.percent(number.low), plain.percent(number.high))
        beside = _("mean %(mean)s of 5") % {"mean": plain.number(number.mean, 1)}
        return Figure(plain.percent(number.value), ends, number.count, beside)
    low, high = number.mean_low, number.mean_high
    ends = "" if low is None else _between(plain.number(max(low, 1)), plain.number(min(high, 7)))
    beside = _("%(share)s gave 5 to 7") % {"share": plain.percent(number.value)}
    return Figure(plain.number(number.mean, 1), ends, number.count, beside)


def _between(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def response_text(response: Any) -> str:
    if response.value is None:
        return DASH
    return plain.percent(response.value)


def definition(kind: str, days: int) -> str:
    if kind == "nps":
        return _(
            "NPS = share of 9-10 minus share of 0-6, of the latest answer of each contact in the "
            "last %(days)s days. The interval of 95%% is Tango's score interval. Below %(least)s "
            "answers there is no number; the answers are below."
        ) % {"days": days, "least": LEAST_ANSWERS}
    if kind == "csat":
        return _(
            "CSAT = share of 4-5 on 1-5, of the latest answer of each contact in the last %(days)s "
            "days, with Wilson's interval of 95%%. Below %(least)s answers there is no number."
        ) % {"days": days, "least": LEAST_ANSWERS}
    if kind == "ces":
        return _(
            "CES = mean on 1-7 (7: very easy), of the latest answer of each contact in the last "
            "%(days)s days, with Student's interval of 95%%. Below %(least)s answers there is no "
            "number."
        ) % {"days": days, "least": LEAST_ANSWERS}
    return _("A short form has no number; read what people said.")


def group_words(kind: str) -> list[tuple[str, str]]:
    """(key, word) of the groups of a scale, the low one first."""
    words = {
        "promoter": _("Promoters 9-10"),
        "passive": _("Passives 7-8"),
        "detractor": _("Detractors 0-6"),
        "high": _("High"),
        "middle": _("Middle"),
        "low": _("Low"),
    }
    return [(key, words[key]) for key in reversed(GROUPS.get(kind, {}))]


def group_key(kind: str, score: float | None) -> str:
    if score is None:
        return ""
    if kind == "nps":
        return group_of(score)
    groups = GROUPS.get(kind, {})
    return next((key for key, (low, high) in groups.items() if low <= score <= high), "")


def tone(kind: str, score: float | None) -> str:
    return TONES.get(group_key(kind, score), "")


def part_words() -> dict[str, str]:
    return {
        "decider": _("Decision maker"),
        "champion": _("Champion"),
        "user": _("User"),
        "procurement": _("Procurement"),
        "other": _("Other"),
    }


def unsent_words() -> dict[str, str]:
    """Why a link did not go out by mail."""
    return {
        "no_address": _("no mail address"),
        "opted_out": _("has opted out of surveys"),
        "bounced": _("the address does not work"),
        "failed": _("the mail could not be sent"),
        "cap_1d": _("over the cap of one day"),
        "cap_7d": _("over the cap of seven days"),
        "cap_30d": _("over the cap of thirty days"),
        "contact_left": _("has left"),
        "no_channel": _("no mail channel to customers"),
        "no_unsubscribe": _("this server does not know its own address"),
        "missing_value": _("a value that the text needs is missing"),
        "customer_gone": _("the customer is archived"),
    }


def said(survey: Any, answer: Any, words: Any) -> list[tuple[str, Any]]:
    """(question, answer) of everything but the score, in the order of the questions."""
    found = []
    for question in survey.questions:
        value = answer.values.get(question["key"])
        if value in (None, "", []) or question["key"] == "score":
            continue
        found.append((words(question), shown(question, value, words)))
    return found


def shown(question: Any, value: Any, words: Any) -> Any:
    """What was answered, in words; a number stays one."""
    if isinstance(value, int):
        return value
    options = {one["key"]: words(one) for one in question.get("options", [])}
    if isinstance(value, list):
        return _(", ").join(options.get(one, one) for one in value)
    return str(options.get(value, value))
