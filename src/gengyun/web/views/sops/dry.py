"""The dry run beside the editor: who would enter, what they would get, why the others would not."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.customers.models import Contact, Customer
from gengyun.kernel.texts import keepable
from gengyun.portfolio.calc.expressions import All
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.form import read
from gengyun.sop.queries.dry_run import dry_run
from gengyun.sop.queries.previews import previews
from gengyun.sop.queries.reasons import judged
from gengyun.web.present import format as plain
from gengyun.web.present import sop_reasons, sop_runs
from gengyun.web.words import is_zh

NAMED = 8
WIDTHS = (1, 2, 3, 4, 5, 6, 8, 12)  # classes x1 … x12 of the bar
SENT = {"task", "message", "survey", "alert", "hand", "webhook", "set"}


@dataclass(frozen=True)
class Row:
    summary: Any
    contact: str
    tag: str
    said: str


def context(request, sop, form, *, words, known, day):
    """`form`: as it stands in the editor, saved or not."""
    found = dry_run(form, day=day, known=known, actor=request.user, sop=sop)
    typed = read(form)[0]
    parts = _parts(found)
    return {
        "dry": {
            "found": found,
            "parts": parts,
            "rows": _rows(form, found),
            "more": max(0, sum(found.counts.values()) - NAMED),
            "why_not": _why_not(typed, found, words),
            "first_day": _first_day(found),
            "comes_by": _comes_by(typed),
            "counts": found.counts,
            "refused": sum(n for key, n in found.counts.items() if key not in _ENTERING),
        },
        "why": why_one(request, form, typed=typed, found=found, words=words, day=day),
        "why_asked": request.POST.get("why", "")[:80],
    }


_ENTERING = ("enter", "holdout")


def _comes_by(form):
    """Who comes by events, by hand or by the API: nobody can be named before."""
    return {
        "event": _("Comes in when the event arrives; nobody can be named before."),
        "hand": _("Comes in by hand: from the list of customers or from a customer's page."),
        "api": _("Comes in by the API."),
    }.get(form.entry.kind, "")


def _parts(found):
    """The bar: (class, label, width)"""
    rows = [
        ("on", _("carried out %(n)s"), found.counts["enter"]),
        ("ho", _("held out %(n)s"), found.counts["holdout"]),
        ("run", _("in it already %(n)s"), found.counts["running"]),
    ]
    rest = sum(n for key, n in found.counts.items() if key not in {*_ENTERING, "running"})
    rows.append(("n", _("do not enter %(n)s"), rest + found.outside))
    total = sum(n for _class, _label, n in rows) or 1
    return [
        (name, label % {"n": plain.count(n)}, _width(n / total)) for name, label, n in rows if n
    ]


def _width(share):
    wanted = share * 20
    return min(WIDTHS, key=lambda width: abs(width - wanted))


def _rows(form, found):
    wanted = found.rows[:NAMED]
    summaries = CustomerSummary.objects.in_bulk([row.participant.customer_id for row in wanted])
    contacts = Contact.objects.in_bulk(
        [row.participant.contact_id for row in wanted if row.participant.contact_id]
    )
    steps = {step["key"]: step for step in form.get("steps") or ()}
    return [
        Row(
            summaries.get(row.participant.customer_id),
            getattr(contacts.get(row.participant.contact_id), "name", "")
            or row.participant.product_key,
            _("held out") if row.outcome == "holdout" else "",
            _row_says(row, steps),
        )
        for row in wanted
    ]


def _row_says(row, steps):
    if row.outcome == "holdout":
        return _("enters, gets nothing")
    if row.outcome != "enter":
        return sop_reasons.sentence(row.outcome, row.told)
    doing = [sop_runs.title_of(steps.get(key), steps) for key, kind in row.steps if kind in SENT]
    if not doing:
        return _("enters, waits first")
    return _("enters: %(steps)s") % {"steps": ("、" if is_zh() else ", ").join(doing[:2])}


def _why_not(form, found, words):
    """[(what fails, how many)], the most frequent first."""
    when = form.entry.when
    rows = []
    for (place, holds), count in found.why_not.most_common():
        part = when.parts[place] if isinstance(when, All) and place >= 0 else when
        said = words.tree(part) if part is not None else ""
        text = _("not known: %(condition)s") if holds is None else _("not so: %(condition)s")
        rows.append((text % {"condition": said}, count))
    for key, count in found.counts.most_common():
        if key not in {*_ENTERING, "running"}:
            rows.append((sop_reasons.sentence(key), count))
    return rows


def _first_day(found):
    """What the first day would bring about, in one line."""
    texts = {
        "task": lambda n: ngettext("%(n)s task", "%(n)s tasks", n),
        "message": lambda n: ngettext("%(n)s message", "%(n)s messages", n),
        "survey": lambda n: ngettext("%(n)s survey", "%(n)s surveys", n),
        "alert": lambda n: ngettext("%(n)s alert", "%(n)s alerts", n),
        "hand": lambda n: ngettext("%(n)s hand-over", "%(n)s hand-overs", n),
        "set": lambda n: ngettext("%(n)s field set", "%(n)s fields set", n),
    }
    parts = [texts[kind](n) % {"n": n} for kind, n in found.first_day.items() if kind in texts]
    return ("、" if is_zh() else ", ").join(parts)


@dataclass(frozen=True)
class Why:
    name: str
    pk: int | None
    said: str  # the outcome
    leaves: list[tuple[str, str, str]]  # class, condition, the value that says so
    letters: list["Letter"] = field(default_factory=list)


@dataclass(frozen=True)
class Letter:
    """A message as this customer would get it."""

    step: str
    to: str
    subject: str
    body: str
    problem: str


def why_one(request, form, *, typed, found, words, day):
    """Why one customer would enter or not, by the form as it stands."""
    asked = keepable(request.POST.get("why", "")).strip()[:80]
    if not asked:
        return None
    rows = Customer.objects.visible_to(request.user).filter(archived_at=None)
    customer = (
        rows.filter(name__iexact=asked).first()
        or rows.filter(name__icontains=asked).order_by("name", "pk").first()
    )
    if customer is None:
        return Why(asked, None, _("No customer with this name."), [])
    letters = _letters(form, typed, customer, day)
    mine = next((r for r in found.rows if r.participant.customer_id == customer.pk), None)
    if typed.entry.when is None:
        said = _row_says(mine, {}) if mine else _comes_by(typed)
        return Why(customer.name, customer.pk, said, [], letters)
    told = judged(typed.entry.when, customer.pk, day=day)
    if told is None:
        return Why(customer.name, customer.pk, sop_reasons.sentence("gone"), [])
    leaves = [leaf_line(one, words) for one in told.said]
    if mine is not None:
        steps = {step["key"]: step for step in form.get("steps") or ()}
        said = _row_says(mine, steps)
    elif told.holds is True:
        said = _("fulfils the condition")
    else:
        key = "condition_unknown" if told.holds is None else "condition_false"
        said = _("does not enter: %(reason)s") % {"reason": sop_reasons.sentence(key)}
    return Why(customer.name, customer.pk, said, leaves, letters)


def _letters(form, typed, customer, day):
    steps = {step["key"]: step for step in form.get("steps") or ()}
    return [
        Letter(
            step=sop_runs.title_of(steps.get(one.step_key), steps),
            to=one.contact.name if one.contact else "",
            subject=one.letter.subject,
            body=one.letter.body,
            problem=sop_reasons.sentence(one.problem, {"name": one.letter.missing}),
        )
        for one in previews(typed, customer, day=day)
    ]


def leaf_line(said, words):
    """(class, condition, "is 61" or "not known")"""
    mark = {True: "yes", False: "no", None: "un"}[said.holds]
    return mark, str(words.leaf(said.leaf)), words.value(said)
