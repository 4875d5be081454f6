"""The window that adds a condition to the customer list: what it offers, and what it sent."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from gengyun.customers.calc.journeys import PACES
from gengyun.customers.models import Stage, Tier
from gengyun.customers.queries import customers as customer_queries
from gengyun.customers.queries.custom_fields import fields_in_use, fields_named
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.filters import WITHOUT_VALUE, Filter, parse_filters
from gengyun.portfolio.calc.needs import GROUPS
from gengyun.portfolio.queries import choices
from gengyun.team.queries.people import members_below
from gengyun.web.forms import Form
from gengyun.web.present.custom import options, typed_label
from gengyun.web.present.needs import need_word
from gengyun.web.views.filters import BANDS, band_word, labels, pace_word
from gengyun.web.words import is_zh, pick


@dataclass(frozen=True)
class Adder:
    """One condition that can be added: kind says which controls it shows."""

    field: str
    label: str
    kind: str  # choice, bands, checks, answers, number, days, span, text, tag
    options: list
    ops: list


def adders(user):
    """Every field the window offers; the long lists are capped, they are for choosing by eye."""
    names = labels()
    number = [("gte", _("at least")), ("lt", _("under")), ("none", _("is not set"))]
    owners = [
        ("me", _("me")),
        *members_below(user).exclude(pk=user.pk).values_list("pk", "name")[:200],
    ]
    tiers = [(tier.pk, pick(tier)) for tier in Tier.objects.all()]
    stages = [
        (stage.pk, f"{pick(stage)} ({stage.get_touch_model_display()})")
        for stage in Stage.objects.all()
    ]
    needs = [(code, need_word(code)) for code in GROUPS]
    tags = [(tag.name, tag.name) for tag in customer_queries.tags_in_use()[:200]]
    overdue, unset = ("overdue", _("is overdue")), ("none", _("is not set"))
    within, older = ("within", _("within days")), ("older", _("longer ago than days"))
    bands = [(band, band_word(band)) for band in BANDS]
    amount = _("ARR, 10k yuan") if is_zh() else _("ARR, thousands")
    touch = [older, ("within", _("in the last days")), ("none", _("never"))]
    steps = [overdue, ("today", _("is today")), within, unset]
    measured = [*number, ("known", _("is known"))]
    against = _("Active users against four weeks before, %")
    found = [
        Adder("owner", names["owner"], "choice", owners, []),
        Adder("tier", names["tier"], "choice", tiers, []),
        Adder("band", names["band"], "bands", bands, []),
        Adder("score", names["score"], "number", [], number),
        Adder("change", names["change"], "number", [], number[:2]),
        Adder("churn", _("Churn probability, %"), "number", [], number),
        Adder("active", names["active"], "number", [], measured),
        Adder("active_change", against, "number", [], measured),
        Adder("arr", amount, "number", [], number),
        Adder("seats", names["seats"], "number", [], measured),
        Adder("renews", names["renews"], "days", [], [within, overdue, unset]),
        Adder("touch", names["touch"], "days", [], touch),
        Adder("next_step", names["next_step"], "days", [], steps),
        Adder("last_event", names["last_event"], "days", [], [older, ("none", _("never"))]),
        Adder("need", names["need"], "choice", needs, []),
        Adder("stage", names["stage"], "choice", stages, []),
        Adder("pace", names["pace"], "choice", [(one, pace_word(one)) for one in PACES], []),
        Adder("tag", names["tag"], "tag", tags, []),
    ]
    renews = next(place for place, adder in enumerate(found) if adder.field == "renews")
    found.insert(renews + 1, Adder("renews", _("Renews from … to"), "span", [], []))
    for field in ("industry", "region"):
        values = [(value, value) for value in choices.values_in_use(user, field)]
        found.append(Adder(field, names[field], "choice", values, []))
    return found + [adder for field in fields_in_use() for adder in _custom_adders(field)]


def _custom_adders(field):
    name, label = field.name, pick(field)
    unset, known = ("none", _("is not set")), ("known", _("is known"))
    number = [("gte", _("at least")), ("lt", _("under")), unset, known]
    if field.kind in {"choice", "multi"}:
        return [Adder(name, label, "checks", options(field), [unset, known])]
    if field.kind == "bool":
        answers = [("is", "yes", _("yes")), ("is", "no", _("no")), ("none", "", _("not known"))]
        return [Adder(name, label, "answers", answers, [])]
    if field.kind == "date":
        days = [
            ("within", _("within days")),
            ("older", _("longer ago than days")),
            ("overdue", _("lies in the past")),
            unset,
            known,
        ]
        span = _("%(name)s from … to") % {"name": label}
        return [Adder(name, label, "days", [], days), Adder(name, span, "span", [], [])]
    if field.kind == "text":
        texts = [("contains", _("holds the text")), ("is", _("is exactly")), unset, known]
        return [Adder(name, label, "text", [], texts)]
    return [Adder(name, typed_label(field), "number", [], number)]


def added(request):
    """The condition that the window sent, or nothing."""
    field = request.GET.get("add_field", "")
    op = request.GET.get("add_op", "is")
    values = [value.strip() for value in request.GET.getlist("add_value") if value.strip()]
    answer = request.GET.get("add_answer", "")  # yes, no, or not known
    if answer:
        op, values = ("none", []) if answer == "none" else ("is", [answer])
    if not field or (not values and op not in WITHOUT_VALUE):
        return []
    if op in WITHOUT_VALUE:
        return parse_filters([{"field": field, "op": op}])
    if field == "arr":
        return _amount(op, values[0])
    if is_custom(field):
        return _custom_added(field, op, values)
    op = "in" if field == "band" else op
    value = values if op in {"in", "between"} else values[0]
    return parse_filters([{"field": field, "op": op, "value": value}])


def _custom_added(name, op, values):
    """An operand as it is stored in the address: amounts in fen, several choices as a list."""
    field = fields_named([name]).get(name)
    if field is not None and field.kind == "money":
        return [Filter(name, op, str(found.value)) for found in _amount(op, values[0])]
    value = values if op in {"in", "between"} else values[0]
    return parse_filters([{"field": name, "op": op, "value": value}])


def _amount(op, text):
    """A bare number counts in the unit of the label: 万 in Chinese, thousands in English."""
    form = Form(
        {
            "arr": text
            if not text.replace(".", "").isdecimal()
            else text + ("万" if is_zh() else "k")
        }
    )
    form.amount("arr", into="arr")
    if "arr" in form.errors or form.values["arr"] is None:
        return parse_filters([{"field": "arr", "op": op, "value": text}])
    return [Filter("arr", op, form.values["arr"])]
