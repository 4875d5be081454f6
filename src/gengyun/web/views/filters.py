"""Conditions of the customer list as people see them: as chips."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.customers.calc.custom import option_name
from gengyun.customers.models import Stage, Tier
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.models import Segment
from gengyun.team.models import User
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
        "pace": _("Stay in the stage"),
        "band": _("Health"),
        "trend": _("Trend"),
        "tag": _("Tag"),
        "industry": _("Industry"),
        "region": _("Region"),
        "arr": "ARR",
        "seats": _("Seats"),
        "score": _("Score"),
        "change": _("vs last week"),
        "churn": _("Churn probability"),
        "renews": _("Renews"),
        "touch": _("Last contact"),
        "next_step": _("Next step"),
        "need": _("Needs"),
        "last_event": _("Last use"),
        "active": _("Active users, 7 days"),
        "active_change": _("Active users against four weeks before"),
        "segment": pgettext("customers", "Segment"),
    }


def band_word(band):
    return {
        "A": _("A healthy"),
        "B": _("B steady"),
        "C": _("C watch"),
        "D": _("D at risk"),
        "N": _("not enough data"),
    }[band]


def pace_word(pace):
    return {"on_track": _("on track"), "behind": _("behind"), "stuck": _("stuck")}[pace]


def chips(address, path, customs):
    """`customs`: the company's own fields that the address names, by name."""
    names = labels() | {name: field_label(field) for name, field in customs.items()}
    return [
        Chip(
            names.get(found.field, found.field),
            _say(found, customs.get(found.field)),
            address.path(path, filters=address.without(place)),
        )
        for place, found in enumerate(address.filters)
    ]


def said(found, custom=None):
    """Comparison and value of a condition in words; `custom`: the company's own field it names."""
    return _say(found, custom)


def field_label(field):
    retired = _("%(name)s (retired)") % {"name": pick(field)}
    return retired if field.retired_at is not None else pick(field)


def _say(found, custom=None):
    without = {
        "none": _("is not set"),
        "known": _("is known"),
        "any": _("anything"),
        "overdue": _("is overdue"),
        "today": _("is today"),
    }
    if found.op in without:
        return without[found.op]
    if custom is not None:
        return _say_custom(found, custom)
    return _NAMED.get(found.field, _say_number)(found)


def _say_names(found):
    return _with_op(found.op, _names(found))


def _say_segment(found):
    segment = Segment.objects.filter(pk=found.value).first()
    name = segment.name if segment is not None else _("(deleted)")
    if segment is not None and segment.retired_at is not None:
        name = _("%(name)s (retired)") % {"name": name}
    text = _("is in “%(name)s”") if found.op == "is" else _("is not in “%(name)s”")
    return text % {"name": name}


def _say_pace(found):
    value = found.value
    return _join(pace_word(one) for one in (value if isinstance(value, list) else [value]))


def _say_band(found):
    values = found.value if isinstance(found.value, list) else [found.value]
    return _with_op(found.op, _join(band_word(band) for band in values))


def _say_need(found):
    return need_word(found.value)


def _say_trend(found):
    return {"up": _("rising"), "down": _("falling"), "flat": _("steady")}[found.value]


_NAMED = {
    "owner": _say_names,
    "tier": _say_names,
    "stage": _say_names,
    "pace": _say_pace,
    "band": _say_band,
    "need": _say_need,
    "trend": _say_trend,
    "segment": _say_segment,
}


def _say_custom(found, field):
    """The operand in the words of its field: names of choices, amounts, yes and no."""
    value, zh = found.value, is_zh()
    values = value if isinstance(value, list) else [value]
    if field.kind in {"choice", "multi"}:
        named = _join(option_name(field.definition, key, zh=zh) for key in values)
        if found.op == "lacks":
            return _("lacks “%(value)s”") % {"value": named}
        return _with_op(found.op, named)
    if field.kind == "bool":
        return _("is %(value)s") % {"value": _("yes") if value == "yes" else _("no")}
    if field.kind == "money":
        said = [plain.money(int(Decimal(one)), zh=zh) for one in values]
        found = Filter(found.field, found.op, said if isinstance(value, list) else said[0])
    return _say_number(found)


def _say_number(found):  # noqa: PLR0911 - one sentence per operator
    value = found.value
    if found.op == "gte":
        return _("at least %(value)s") % {"value": _shown(found.field, value)}
    if found.op == "lt":
        return _("under %(value)s") % {"value": _shown(found.field, value)}
    if found.op == "within":
        value = int(value)
        words = (
            ngettext("in the last %(n)s day", "in the last %(n)s days", value)
            if found.field == "touch"
            else ngettext("within %(n)s day", "within %(n)s days", value)
        )
        return words % {"n": value}
    if found.op == "older":
        value = int(value)
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
    if isinstance(value, str):
        return value
    if field in {"churn", "active_change"}:
        return f"{plain.number(value)}%"
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
