"""Opportunities as they are shown: words, tags and sums. Pure."""

from gengyun.revenue.models import OpportunityKind
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import pgettext, pick


def kinds():
    return [
        (OpportunityKind.NEW, pgettext("opportunity", "New business")),
        (OpportunityKind.UPSELL, pgettext("opportunity", "Upsell")),
        (OpportunityKind.CROSS_SELL, pgettext("opportunity", "Cross-sell")),
        (OpportunityKind.SERVICE, pgettext("opportunity", "Service")),
    ]


def kind_word(kind):
    return next((word for key, word in kinds() if key == kind), kind)


def states():
    return [
        ("open", pgettext("opportunity", "Open")),
        ("won", pgettext("opportunity", "Won")),
        ("lost", pgettext("opportunity", "Lost")),
        ("all", pgettext("opportunity", "All")),
    ]


def periods():
    return [
        ("month", _("this month")),
        ("quarter", _("this quarter")),
        ("next_quarter", _("next quarter")),
        ("late", _("expected day has passed")),
        ("none", _("no expected day")),
    ]


def sorts():
    return [
        ("expected", _("by expected day")),
        ("amount", _("by amount")),
        ("updated", _("last changed")),
        ("customer", _("by customer")),
        ("stage", _("by stage")),
    ]


def amounts(sums, *, zh):
    """{currency: minor} as text, largest first; currencies stand beside each other."""
    found = sorted(sums.items(), key=lambda part: -part[1])
    return " + ".join(plain.money(minor, currency, zh=zh) for currency, minor in found) or "—"


def worth(one, *, zh):
    """What a column or a list says of its sum: (sum, weighted, how many without an amount)."""
    return {
        "count": one.count,
        "sum": amounts(one.amounts, zh=zh),
        "weighted": amounts(one.weighted, zh=zh),
        "unknown": one.unknown,
    }


def marks(card, *, today, zh):
    """What is not as it should be, one word each: (tone, text)."""
    w, row = card.warnings, card.opportunity
    found = []
    if w.late:
        found.append(("d", plain.due(row.expected_on, today=today, zh=zh)))
    if w.no_day:
        found.append(("c", _("no expected day")))
    if w.no_amount:
        found.append(("c", _("no amount")))
    if w.step_late:
        found.append(("d", _("step overdue")))
    elif w.no_step:
        found.append(("c", _("no next step")))
    if w.stuck_days is not None:
        found.append(("n", _("%(days)s days in this stage") % {"days": w.stuck_days}))
    if row.stage.is_won and row.won_line_id is None:
        found.append(("c", _("contract not entered")))
    return found


FIELD_WORDS = {
    "stage": "Stage",
    "name": "Name",
    "kind": "Kind",
    "product": "Product",
    "amount_minor": "Amount",
    "currency": "Currency",
    "expected_on": "Expected on",
    "next_step": "Next step",
    "next_step_on": "Day of the next step",
    "owner": "Owner",
    "note": "Note",
    "closed_on": "Closed on",
    "loss_reason": "Why it was lost",
    "won_line": "Line of the contract",
}


def field_word(field):
    if field == "source":
        return pgettext("opportunity", "Source")
    return _(FIELD_WORDS.get(field, field))


def history(changes, *, names, today, zh):
    """Every change as a line: when, who, what from what to what, why."""
    return [
        {
            "at": one.at,
            "who": one.actor,
            "field": field_word(one.field),
            "old": _value(one.field, one.old, names, today, zh),
            "new": _value(one.field, one.new, names, today, zh),
            "why": one.why,
        }
        for one in changes
    ]


def _value(field, value, names, today, zh):  # noqa: PLR0911 - one line per kind of field
    if value in (None, ""):
        return plain.UNKNOWN
    if field == "stage":
        stage = names["stages"].get(value)
        return pick(stage) if stage else value
    if field == "kind":
        return kind_word(value)
    if field == "amount_minor":
        return plain.money(value, names["currency"], zh=zh)
    if field in {"expected_on", "next_step_on", "closed_on"}:
        return plain.day(plain.date.fromisoformat(value), today=today, zh=zh)
    if field in {"owner", "product", "won_line"}:
        return names[field].get(value, "?")
    return value
