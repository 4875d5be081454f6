"""Contracts, movements and invoices of a customer as the page shows them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gengyun.kernel.currencies import major, minor_of_one
from gengyun.revenue.calc.normalise import RULES
from gengyun.revenue.calc.terms import whole_months
from gengyun.web.present import format as plain
from gengyun.web.words import gettext

# state -> (tone of its tag, word)
STATES = {
    "running": ("a", pgettext_lazy("line", "in force")),
    "coming": ("br", pgettext_lazy("line", "not begun")),
    "paused": ("c", pgettext_lazy("line", "paused")),
    "over": ("", pgettext_lazy("line", "ended")),
    "voided": ("", pgettext_lazy("line", "voided")),
    "once": ("", pgettext_lazy("line", "paid once")),
}
INVOICE_STATES = {
    "paid": ("a", pgettext_lazy("invoice", "paid")),
    "open": ("", pgettext_lazy("invoice", "open")),
    "overdue": ("d", pgettext_lazy("invoice", "overdue")),
    "disputed": ("c", pgettext_lazy("invoice", "disputed")),
    "void": ("", pgettext_lazy("invoice", "void")),
}
KINDS = {
    "new": _("New"),
    "renew": _("Renewal"),
    "upsell": _("Upsell"),
    "cross_sell": _("Cross-sell"),
    "price_change": _("Price change"),
    "downsell": _("Downsell"),
    "pause": _("Pause"),
    "resume": _("Resumed"),
    "churn": _("Churn"),
    "win_back": _("Win-back"),
    "correction": _("Correction"),
    "transfer": _("Carried over"),
}
BILLING = {1: _("monthly"), 3: _("quarterly"), 6: _("half-yearly"), 12: _("yearly")}


@dataclass(frozen=True)
class MovementRow:
    """One line of the ledger with the running total of its currency after it."""

    row: Any
    kind: str
    total_minor: int


def rule_sentence(rule: str) -> str:
    """How the ARR of a line was found."""
    return gettext(RULES[rule]) if rule in RULES else rule


def billing(contract: Any) -> str:
    months = contract.billing_interval_months
    if months is None:
        return ""
    known = BILLING.get(months)
    word = str(known) if known else gettext("every %(months)s months") % {"months": months}
    when = gettext("in advance") if contract.is_prepaid else gettext("afterwards")
    return gettext("%(interval)s, %(when)s") % {"interval": word, "when": when}


def term(line: Any, *, zh: bool) -> str:
    """The length of a line in words: 12 months, 45 days."""
    if line.ends_on is None:
        return gettext("open-ended")
    months = whole_months(line.starts_on, line.ends_on)
    if months is not None:
        return f"{months} 个月" if zh else f"{months} {'month' if months == 1 else 'months'}"
    days = (line.ends_on - line.starts_on).days + 1
    return f"{days} 天" if zh else f"{days} {'day' if days == 1 else 'days'}"


def exact(minor: int | None, currency: str = "CNY") -> str:
    """Money to the last minor unit, as contracts say it: 1,234,567.80."""
    if minor is None:
        return plain.UNKNOWN
    sign, size = plain.MINUS if minor < 0 else "", major(abs(minor), currency)
    text = sign + (f"{size:,f}" if size % 1 else f"{int(size):,}")
    return text if currency == "CNY" else f"{currency} {text}"


def ledger(rows: Iterable[Any]) -> list[MovementRow]:
    """Newest first. What is carried between lines of one day nets to nothing and is left out."""
    totals: dict[str, int] = {}
    told = []
    for row in sorted(rows, key=lambda r: (r.effective_on, r.pk)):
        totals[row.currency] = totals.get(row.currency, 0) + row.arr_minor
        told.append(MovementRow(row, str(KINDS.get(row.kind, row.kind)), totals[row.currency]))
    seen = [entry for entry in told if entry.row.kind != "transfer"]
    # of several rows of a day the last carries the day's total; a transfer between them would not
    return [
        MovementRow(entry.row, entry.kind, _end_of_day(told, entry)) for entry in reversed(seen)
    ]


def _end_of_day(told: Sequence[MovementRow], entry: MovementRow) -> int:
    same = [
        other.total_minor
        for other in told
        if other.row.effective_on == entry.row.effective_on
        and other.row.currency == entry.row.currency
    ]
    return same[-1]


def chart(rows: Iterable[Any], *, today: date, zh: bool) -> dict[str, Any]:
    """ARR as steps from the first movement to today, one line per currency, and what was moved."""
    ordered = sorted(rows, key=lambda r: (r.effective_on, r.pk))
    if not ordered:
        return {"values": [], "series": [], "marks": [], "finding": "", "note": ""}
    totals: dict[str, int] = {}
    steps: dict[str, list[list[Any]]] = {}
    marks: dict[date, set[str]] = {}
    for row in ordered:
        totals[row.currency] = totals.get(row.currency, 0) + row.arr_minor
        line = steps.setdefault(row.currency, [])
        point = [row.effective_on.isoformat(), float(major(totals[row.currency], row.currency))]
        if line and line[-1][0] == point[0]:
            line[-1] = point
        else:
            line.append(point)
        if row.kind not in {"transfer", "renew"}:
            marks.setdefault(row.effective_on, set()).add(str(KINDS.get(row.kind, row.kind)))
    last = max(today, ordered[-1].effective_on)
    for line in steps.values():
        line.insert(0, [(ordered[0].effective_on - timedelta(days=1)).isoformat(), 0])
        if line[-1][0] < last.isoformat():
            line.append([last.isoformat(), line[-1][1]])
    values = [value for line in steps.values() for _day, value in line]
    return {
        "values": values,
        "series": [{"name": currency, "data": line} for currency, line in sorted(steps.items())],
        "marks": [
            {"on": day.isoformat(), "name": ("、" if zh else ", ").join(sorted(kinds))}
            for day, kinds in sorted(marks.items())
        ],
        "today": today.isoformat(),
        "finding": _finding(steps, ordered[0].effective_on, today, zh=zh),
        "note": "",
    }


def _finding(steps: Mapping[str, Any], first: date, today: date, *, zh: bool) -> str:
    parts = []
    for currency, line in sorted(steps.items()):
        now = [value for day, value in line if day <= today.isoformat()]
        start, end = (
            plain.money(_minor(line[1][1], currency), currency, zh=zh),
            plain.money(_minor(now[-1] if now else 0, currency), currency, zh=zh),
        )
        parts.append(
            f"ARR 从 {plain.day_full(first, zh=zh)} 的 {start} 到今天的 {end}"
            if zh
            else f"ARR from {start} on {plain.day_full(first, zh=zh)} to {end} today"
        )
    return ("；" if zh else "; ").join(parts)


def _minor(shown: float, currency: str) -> int:
    return round(shown * minor_of_one(currency))


def plain_amount(minor: int | None, currency: str = "CNY") -> str:
    """For a form field: 486000 or 486000.50."""
    if minor is None:
        return ""
    exact = major(minor, currency)
    return f"{exact:f}" if exact % 1 else f"{int(exact)}"
