"""Conditions of the customer list as people see them: chips, and the window that adds one."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.customers.models import Stage, Tier
from gengyun.customers.queries import customers as customer_queries
from gengyun.portfolio.calc.filters import Filter, parse_filters
from gengyun.portfolio.calc.needs import GROUPS
from gengyun.portfolio.queries import choices
from gengyun.team.models import User
from gengyun.team.queries.people import members_below
from gengyun.web.forms import Form
from gengyun.web.present import format as plain
from gengyun.web.present.needs import need_word
from gengyun.web.words import is_zh, pick

BANDS = "ABCDN"


@dataclass(frozen=True)
class Chip:
    field: str
    text: str
    href: str  # the list without it


def labels():
    return {
        "text": _("Name"),
        "owner": pgettext("column", "CSM"),
        "tier": _("Tier"),
        "stage": _("Stage"),
        "band": _("Health"),
        "trend": _("Trend"),
        "tag": _("Tag"),
        "industry": _("Industry"),
        "region": _("Region"),
        "arr": "ARR",
        "seats": _("Seats"),
        "score": _("Score"),
        "change": _("vs last week"),
        "renews": _("Renews"),
        "touch": _("Last contact"),
        "next_step": _("Next step"),
        "need": _("Needs"),
        "last_event": _("Last use"),
    }


def band_word(band):
    return {
        "A": _("A healthy"),
        "B": _("B steady"),
        "C": _("C watch"),
        "D": _("D at risk"),
        "N": _("not enough data"),
    }[band]


def chips(address, path):
    names = labels()
    return [
        Chip(
            names.get(found.field, found.field),
            _say(found),
            address.path(path, filters=address.without(place)),
        )
        for place, found in enumerate(address.filters)
    ]


def _say(found):  # noqa: PLR0911 - one sentence per kind
    value = found.value
    if found.op == "none":
        return _("is not set")
    if found.op == "known":
        return _("is known")
    if found.op == "any":
        return _("anything")
    if found.op in {"overdue", "today"}:
        return _("is overdue") if found.op == "overdue" else _("is today")
    if found.field in {"owner", "tier", "stage"}:
        return _with_op(found.op, _names(found))
    if found.field == "band":
        values = value if isinstance(value, list) else [value]
        return _with_op(found.op, _join(band_word(band) for band in values))
    if found.field == "need":
        return need_word(value)
    if found.field == "trend":
        return {"up": _("rising"), "down": _("falling"), "flat": _("steady")}[value]
    return _say_number(found)


def _say_number(found):  # noqa: PLR0911 - one sentence per operator
    value = found.value
    if found.op == "gte":
        return _("at least %(value)s") % {"value": _shown(found.field, value)}
    if found.op == "lt":
        return _("under %(value)s") % {"value": _shown(found.field, value)}
    if found.op == "within":
        words = (
            ngettext("in the last %(n)s day", "in the last %(n)s days", value)
            if found.field == "touch"
            else ngettext("within %(n)s day", "within %(n)s days", value)
        )
        return words % {"n": value}
    if found.op == "older":
        return ngettext("over %(n)s day ago", "over %(n)s days ago", value) % {"n": value}
    if found.op == "before":
        return _("before %(day)s") % {"day": value}
    if found.op == "between":
        return _("%(first)s to %(last)s") % {"first": value[0], "last": value[1]}
    if found.op in {"has", "contains"}:
        return _("has “%(value)s”") % {"value": value}
    if found.op == "lacks":
        return _("lacks “%(value)s”") % {"value": value}
    return _with_op(found.op, _join(value if isinstance(value, list) else [value]))


def _shown(field, value):
    return plain.money(value, zh=is_zh()) if field == "arr" else plain.number(value)


def _with_op(op, text):
    return (
        _("is not %(value)s") % {"value": text}
        if op == "not"
        else _("is %(value)s") % {"value": text}
    )


def _join(values):
    return ("、" if is_zh() else ", ").join(str(value) for value in values)


def _names(found):
    values = found.value if isinstance(found.value, list) else [found.value]
    model = {"owner": User, "tier": Tier, "stage": Stage}[found.field]
    rows = {row.pk: row for row in model.objects.filter(pk__in=[v for v in values if v != "me"])}
    shown = []
    for value in values:
        row = rows.get(value)
        if value == "me":
            shown.append(_("me"))
        elif row is not None:
            shown.append(row.name if found.field == "owner" else pick(row))
    return _join(shown)


@dataclass(frozen=True)
class Adder:
    """One condition that can be added: kind says which controls it shows."""

    field: str
    label: str
    kind: str  # choice, bands, number, days, tag, need
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
    found = [
        Adder("owner", names["owner"], "choice", owners, []),
        Adder("tier", names["tier"], "choice", tiers, []),
        Adder("band", names["band"], "bands", bands, []),
        Adder("score", names["score"], "number", [], number),
        Adder("change", names["change"], "number", [], number[:2]),
        Adder("arr", amount, "number", [], number),
        Adder("renews", names["renews"], "days", [], [within, overdue, unset]),
        Adder("touch", names["touch"], "days", [], touch),
        Adder("next_step", names["next_step"], "days", [], steps),
        Adder("last_event", names["last_event"], "days", [], [older, ("none", _("never"))]),
        Adder("need", names["need"], "choice", needs, []),
        Adder("stage", names["stage"], "choice", stages, []),
        Adder("tag", names["tag"], "tag", tags, []),
    ]
    for field in ("industry", "region"):
        values = [(value, value) for value in choices.values_in_use(user, field)]
        found.append(Adder(field, names[field], "choice", values, []))
    return found


def added(request):
    """The condition that the window sent, or nothing."""
    field = request.GET.get("add_field", "")
    if not field:
        return []
    op = request.GET.get("add_op", "is")
    values = [value.strip() for value in request.GET.getlist("add_value") if value.strip()]
    if op in {"none", "overdue", "today"}:
        return parse_filters([{"field": field, "op": op}])
    if not values:
        return []
    if field == "band":
        return parse_filters([{"field": field, "op": "in", "value": values}])
    if field == "arr":
        return _amount(op, values[0])
    return parse_filters([{"field": field, "op": op, "value": values[0]}])


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
