"""What a condition of a segment or an SOP can ask about: fields, comparisons, choices."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.customers.queries.custom_fields import fields_in_use
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.expressions import CHANGING
from gengyun.portfolio.calc.filters import FIELDS
from gengyun.portfolio.models import Segment
from gengyun.web.present.condition_form import OUT, Field
from gengyun.web.views import filter_window
from gengyun.web.views.filters import labels
from gengyun.web.words import is_zh, pick

SKIPPED = {"text"}  # a part of a name says nothing about a customer
FIRST = ("active_change", "active", "score", "band", "change", "churn", "last_event", "renews")


def condition_fields(user, *, without=None):
    """{key: Field} in the order that they are offered; `without`: a segment that asks itself."""
    moneys = {field.name: pick(field) for field in fields_in_use() if field.kind == "money"}
    adders = reversed(filter_window.adders(user))
    found = {adder.field: _field(adder, moneys) for adder in adders}
    names = labels()
    for key, (ops, kind) in FIELDS.items():
        if key not in found and key not in SKIPPED:
            found[key] = _plain(key, names.get(key, key), ops, kind)
    found["segment"] = _segments(user, without)
    if not found["segment"].options:
        del found["segment"]
    order = [*FIRST, *(key for key in FIELDS if key not in FIRST)]
    built_in = [found[key] for key in order if key in found]
    own = [one for key, one in reversed(found.items()) if is_custom(key)]
    return {one.key: one for one in [*built_in, *own]}


def _field(adder, moneys):
    key, own = adder.field, is_custom(adder.field)
    options = [(str(value), str(text)) for value, text, *_more in map(_pair, adder.options)]
    options = [(value, text) for value, text in options if value != "me"]
    changing = key in CHANGING or own
    group = _("Own fields") if own else ""
    common = {"can_change": changing and bool(options), "group": group}
    if adder.kind in {"choice", "bands", "checks"}:
        return Field(key, _plain_label(adder), *_choice(key, own, adder), options, **common)
    if adder.kind == "answers":
        answers = [(value, text) for op, value, text in adder.options if op == "is"]
        ops = [("is", pgettext("condition", "is")), ("none", _("is not known"))]
        return Field(key, adder.label, "single", ops, answers, **common)
    ops = [op for op in adder.ops if op[0] != "between"]
    if adder.kind == "days":
        ops = [(op, _day_words(key).get(op, text)) for op, text in ops]
        return Field(key, adder.label, "days", ops, unit=pgettext("unit", "days"), **common)
    if adder.kind == "tag":
        ops = [("has", pgettext("condition", "has")), ("lacks", pgettext("condition", "lacks"))]
        return Field(key, adder.label, "single", ops, options, **common)
    if adder.kind == "text":
        return Field(key, adder.label, "text", ops, **common)
    money = key == "arr" or key in moneys
    scale = (1_000_000 if is_zh() else 100_000) if money else 1
    unit = (_("x 10,000 yuan") if is_zh() else _("thousand yuan")) if money else _unit(key)
    label = moneys.get(key) or _plain_label(adder)
    return Field(key, label, "number", ops, unit=unit, scale=scale, **common)


def _pair(option):
    return option if len(option) > 1 else (option[0], option[0])


def _choice(key, own, adder):
    """(kind, comparisons) of a field with few values."""
    known = FIELDS.get(key, (("in", "none", "known"), ""))[0]
    ops = []
    if own or "in" in known:
        ops = [("in", pgettext("condition", "is")), (OUT, pgettext("condition", "is not"))]
    elif "is" in known:
        ops = [("is", pgettext("condition", "is"))]
    if "any" in known:
        ops.append(("any", _("anything")))
    if own or "none" in known:
        ops.append(("none", _("is not set")))
    kind = "choice" if own or "in" in known else "single"
    return kind, ops


def _day_words(key):
    future = {"within": _("is at most so far ahead"), "overdue": _("is overdue")}
    past = {"within": _("was in the last"), "older": _("was longer ago than")}
    return past if key in {"touch", "last_event"} else future | {"older": past["older"]}


def _plain_label(adder):
    """Without the unit that the window of the list writes into its label."""
    return labels().get(adder.field) or adder.label


def _unit(key):
    return {"churn": "%", "active_change": "%"}.get(key, "")


def _segments(user, without):
    rows = Segment.objects.visible_to(user).filter(of=Segment.Of.CUSTOMER, retired_at=None)
    options = [(str(row.pk), row.name) for row in rows if row.pk != without]
    ops = [("is", _("is in")), ("not", _("is not in"))]
    return Field("segment", labels()["segment"], "single", ops, options)


def _plain(key, label, ops, kind):
    """A field that the list's window does not offer."""
    words = {
        "gte": _("at least"), "lt": _("under"), "none": _("is not set"), "known": _("is known"),
        "is": pgettext("condition", "is"),
    }  # fmt: skip
    if kind == "trend":
        trends = [("up", _("rising")), ("down", _("falling")), ("flat", _("steady"))]
        return Field(key, label, "single", [("is", words["is"])], trends, can_change=True)
    offered = [(op, words[op]) for op in ops if op in words]
    return Field(key, label, "number", offered, unit=_unit(key))
