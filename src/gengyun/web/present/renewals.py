"""Renewals as they are shown: periods, categories, rows of the grid, facts behind a signal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from gengyun.kernel.currencies import digits
from gengyun.revenue.calc import chances
from gengyun.revenue.models import Category, Renewal, RenewalState
from gengyun.revenue.models.renewals import rise
from gengyun.revenue.queries.renewals import Before
from gengyun.web.present import churn
from gengyun.web.present import format as plain
from gengyun.web.present.marks import band_word
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext, pick

# the marks of ui.md: shape before colour
MARKS = {
    "signed": "k1",
    "commit": "k2",
    "expected": "k3",
    "at_risk": "k4",
    "lost": "k5",
    "unjudged": "k6",
}
SAYABLE = ("commit", "expected", "at_risk", "unjudged")
QUARTERS_ZH = "一二三四"


# --- periods ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """A quarter (2027q1) or a month (2027-01); both days are included."""

    first: date
    months: int

    @property
    def key(self) -> str:
        if self.months == 1:
            return f"{self.first:%Y-%m}"
        return f"{self.first.year}q{(self.first.month + 2) // 3}"

    @property
    def last(self) -> date:
        return self.shifted(1).first - timedelta(days=1)

    def shifted(self, by: int) -> "Period":
        index = self.first.year * 12 + self.first.month - 1 + by * self.months
        return Period(date(index // 12, index % 12 + 1, 1), self.months)

    def name(self, *, with_year: bool = True) -> str:
        year = self.first.year
        if self.months == 1:
            if is_zh():
                said = f"{self.first.month} 月"
                return f"{year} 年 {said}" if with_year else said
            said = plain.MONTHS_EN[self.first.month - 1]
            return f"{said} {year}" if with_year else said
        number = (self.first.month + 2) // 3
        if is_zh():
            said = f"{QUARTERS_ZH[number - 1]}季度"
            return f"{year} {said}" if with_year else said
        return f"Q{number} {year}" if with_year else f"Q{number}"


def quarter_of(day: date) -> Period:
    return Period(date(day.year, (day.month - 1) // 3 * 3 + 1, 1), 3)


def month_of(day: date) -> Period:
    return Period(day.replace(day=1), 1)


def period_of(text: str, *, today: date, by: str) -> Period:
    """The period that an address names; one that cannot be read is the present one."""
    try:
        if len(text) == 6 and text[4] == "q" and text[5] in "1234":
            found = Period(date(int(text[:4]), int(text[5]) * 3 - 2, 1), 3)
        else:
            found = Period(date.fromisoformat(f"{text}-01"), 1)
        if 1990 <= found.first.year <= 2200:
            return found
    except ValueError:
        pass
    return month_of(today) if by == "month" else quarter_of(today)


def same_in(period: Period, by: str) -> Period:
    """The quarter of a month, the first month of a quarter."""
    return month_of(period.first) if by == "month" else quarter_of(period.first)


# --- words --------------------------------------------------------------------------------------


def category_word(key: str) -> str:
    match key:
        case "signed":
            return pgettext("renewal", "signed")
        case "commit":
            return pgettext("renewal", "commit")
        case "expected":
            return pgettext("renewal", "expected")
        case "at_risk":
            return pgettext("renewal", "at risk")
        case "lost":
            return pgettext("renewal", "lost")
    return pgettext("renewal", "not judged")


def signal_word(key: str) -> str:
    match key:
        case "renew":
            return pgettext("signal", "will renew")
        case "watch":
            return pgettext("signal", "to watch")
        case "risk":
            return pgettext("signal", "at risk")
    return pgettext("signal", "not clear")


def question(number: int) -> str:
    return {
        1: _("Are the terms clear?"),
        2: _("Is the expectation met?"),
        3: _("Is there a relation to the key decider?"),
        4: _("Are promises kept?"),
    }[number]


def answer_word(key: str) -> str:
    return {"yes": _("yes"), "no": _("no")}.get(key) or _("not answered")


def fact(code: str, values: Mapping[str, Any]) -> str:  # noqa: C901, PLR0911, PLR0912
    """One fact behind an answer or a signal, as a sentence part."""
    count = values.get("count", 0)
    match code:
        case "notice_given":
            return _("They gave notice that they will not renew")
        case "disputed":
            return _("Invoices in dispute: %(count)s") % {"count": count}
        case "overdue":
            amount = plain.money(values.get("minor") or 0, zh=is_zh())
            return _("%(amount)s overdue for %(days)s days") % {
                "amount": amount,
                "days": values.get("days"),
            }
        case "terms_written":
            return _("Renewal terms are in the contract")
        case "terms_open":
            return _("The contract does not say how it renews")
        case "health":
            band = values.get("band") or "N"
            said = {"band": band, "word": band_word(band), "score": plain.score(values["score"])}
            return _("Health %(band)s %(score)s %(word)s") % said
        case "seats_used":
            share = plain.percent(values.get("share"))
            return _("%(share)s of the bought seats are used") % {"share": share}
        case "decider_left":
            return _("%(name)s, the decision maker, left") % {"name": values.get("name", "")}
        case "no_decider":
            return _("No decision maker is recorded")
        case "decider_never":
            return _("No talk with the decision maker is recorded")
        case "decider_talk":
            return _("Last talk with the decision maker %(days)s days ago") % {
                "days": values.get("days")
            }
        case "unsolved":
            return _("Problems left unsolved: %(count)s") % {"count": count}
        case "solved":
            return _("Problems solved in half a year: %(count)s") % {"count": count}
        case "step_late":
            return _("The next step is %(days)s days late") % {"days": values.get("days")}
        case "late_alerts":
            return _("Alerts past their time limit: %(count)s") % {"count": count}
        case "urgent_alerts":
            return _("Urgent alerts open: %(count)s") % {"count": count}
        case "alerts":
            return _("Alerts open: %(count)s") % {"count": count}
        case "answers_no":
            joined = ("、" if is_zh() else ", ").join(str(q) for q in values.get("questions", ()))
            return _("self-check: no to question %(questions)s") % {"questions": joined}
    return code


def facts(why: Iterable[Iterable[Any]]) -> list[str]:
    return [fact(code, values) for code, values in why]


def change_word(name: str) -> str:
    """Name of a field in the record of changes."""
    head, _sep, number = name.rpartition("_")
    match head:
        case "check":
            return _("Self-check %(number)s") % {"number": number}
        case "view":
            return _("View at %(number)s days") % {"number": number}
        case "decided":
            return _("Decision at %(number)s days") % {"number": number}
    return {
        "category": pgettext("renewal", "category"),
        "forecast_minor": _("Forecast"),
        "asked_minor": _("Price asked"),
        "due_minor": _("Comes due"),
        "due_on": _("Due date"),
        "state": _("State"),
        "outcome_minor": _("Outcome"),
        "cause": _("Cause"),
        "owner": "CSM",
        "gap": _("Disagreement"),
    }.get(name, name)


def change_value(name: str, value: Any, currency: str) -> str:  # noqa: PLR0911
    if value in {None, ""}:
        return "—"
    if name.endswith("_minor"):
        return plain.money(int(value), currency, zh=is_zh())
    if name == "category":
        return category_word(value)
    if name.startswith("check_"):
        return answer_word(value)
    if name.startswith(("view_", "decided_")):
        return signal_word(value)
    if name == "state":
        return str(dict(RenewalState.choices).get(value, value))
    return str(value)


# --- rows ---------------------------------------------------------------------------------------


@dataclass
class Row:
    """One renewal of the grid."""

    renewal: Renewal
    summary: Any = None
    dots: list[str] = field(default_factory=lambda: [""] * 4)  # y, n, "" for the four questions
    was: dict[str, str] = field(default_factory=dict)  # field -> what it was at the week's start
    odds: Any = None  # portfolio.queries.churn.Said: the churn probability; None: not said
    known: Any = None  # revenue.queries.chances.Calls, where calls are compared with the model

    @property
    def mark(self) -> str:
        return MARKS[self.renewal.category]

    @property
    def word(self) -> str:
        return category_word(self.renewal.category)

    @property
    def dots_said(self) -> str:
        words = {"y": _("yes"), "n": _("no"), "": _("not answered")}
        joined = ("、" if is_zh() else ", ").join(words[dot] for dot in self.dots)
        return _("Self-check: %(answers)s") % {"answers": joined}

    @property
    def is_apart(self) -> bool:
        """The category is far from what a model that has learned says."""
        row = self.renewal
        if self.known is None or row.state != RenewalState.OPEN:
            return False
        difference = chances.apart(
            row.category, self.known.lost.get(row.category), row.churn_probability
        )
        return chances.is_apart(difference, self.known.apart)

    @property
    def tone(self) -> str:
        return "d" if self.is_apart or self.renewal.gap > 1 else "c"

    @property
    def apart(self) -> str:
        """What the two sides say where they differ: the model first, else the signal of facts."""
        if self.is_apart:
            return churn.apart_word(self.word, self.renewal.churn_probability)
        if not self.renewal.gap:
            return ""
        return _("CSM: %(category)s, signal: %(signal)s") % {
            "category": self.word,
            "signal": signal_word(self.renewal.signal),
        }

    @property
    def plain_amount(self) -> str:
        """The forecast as it is typed: in the unit of the column, without separators."""
        return typed(self.renewal.forecast_minor, self.renewal.currency)

    @property
    def plain_asked(self) -> str:
        """The price asked, as it is typed."""
        return typed(self.renewal.asked_minor, self.renewal.currency)


def typed(minor: int | None, currency: str) -> str:
    """An amount in the unit of the column, without separators."""
    if minor is None:
        return ""
    scaled = Decimal(minor).scaleb(-digits(currency) - (4 if is_zh() else 3))
    return f"{scaled.normalize():f}"


def asked_word(minor: int | None, due_minor: int, currency: str) -> str:
    """“asked 515k (+6%)”; "" where nobody said."""
    if minor is None:
        return ""
    amount, more = plain.money(minor, currency, zh=is_zh()), rise(minor, due_minor)
    if more is None:
        return _("asked %(amount)s") % {"amount": amount}
    return _("asked %(amount)s (%(more)s)") % {"amount": amount, "more": more_word(more)}


def more_word(more: float | None) -> str:
    """By how much more is asked than comes due."""
    if more is None:
        return ""
    return "±0%" if not round(more, 3) else plain.signed(more * 100) + "%"


def rows(
    renewals: Iterable[Renewal],
    *,
    summaries: Mapping[int, Any],
    checks: Iterable[tuple[int, int, str, str]],
    was: Mapping[int, Before],
    odds: Mapping[int, Any] | None = None,
    known: Any = None,
) -> list[Row]:
    """`checks`: (renewal, question, the CSM's answer, the answer from data)."""
    dots: dict[int, list[str]] = {}
    for pk, number, answer, auto in checks:
        mark = {"yes": "y", "no": "n"}.get(answer or auto, "")
        dots.setdefault(pk, [""] * 4)[number - 1] = mark
    return [
        Row(
            renewal,
            summary=summaries.get(renewal.customer_id),
            dots=dots.get(renewal.pk, [""] * 4),
            was=_was(renewal, was.get(renewal.pk)),
            odds=(odds or {}).get(renewal.pk),
            known=known,
        )
        for renewal in renewals
    ]


def _was(renewal: Renewal, then: Before | None) -> dict[str, str]:
    if then is None:
        return {}
    told = {}
    for name in ("category", "forecast_minor"):
        if name in then.values and then.values[name] != getattr(renewal, name):
            old = change_value(name, then.values[name], renewal.currency)
            new = change_value(name, getattr(renewal, name), renewal.currency)
            told[name] = _("Changed this week: %(old)s → %(new)s") % {"old": old, "new": new}
    return told


@dataclass(frozen=True)
class Heading:
    """A line between the rows: a month, a person, a tier."""

    label: str
    part: Any  # queries.renewals.Part


def categories() -> list[tuple[str, str]]:
    """What a person may choose; a loss asks for its cause, a signature comes from the contract."""
    return [(key, category_word(key)) for key in (*SAYABLE, Category.LOST)]


def product_name(renewal: Renewal) -> str:
    return pick(renewal.product) if renewal.product_id else renewal.group
