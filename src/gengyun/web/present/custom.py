"""Custom fields as people meet them: words for their kinds, values in forms, cells and texts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup, escape

from gengyun.customers.actions.import_messages import MESSAGES
from gengyun.customers.calc import custom
from gengyun.customers.calc.cells import BadCell
from gengyun.customers.models import CustomField
from gengyun.web.present import format as plain
from gengyun.web.words import is_zh, pick

KINDS: dict[str, tuple[Any, Any]] = {
    "text": (pgettext_lazy("kind of field", "Text"), _("a word or a line")),
    "number": (
        pgettext_lazy("kind of field", "Number"),
        _("with up to four places behind the point"),
    ),
    "money": (_("Amount"), _("in the customer's currency, as 486000 or 486k")),
    "date": (_("Date"), _("a day of the calendar")),
    "bool": (_("Yes or no"), _("three states: yes, no, not known")),
    "choice": (_("One of a list"), _("exactly one of the choices below")),
    "multi": (_("Several of a list"), _("any number of the choices below")),
}
NUMERIC = frozenset({"number", "money", "date"})


def kind_name(kind):
    return KINDS[kind][0]


def options(field: CustomField) -> list[tuple[str, str]]:
    """What can be chosen: (key, name) without what is retired."""
    zh = is_zh()
    definition = field.definition
    return [
        (one.key, custom.option_name(definition, one.key, zh=zh))
        for one in definition.options
        if not one.is_retired
    ]


def text(definition: custom.Definition, value: Any, *, today=None) -> str:
    """A value as a line of text; an em dash for unknown."""
    if value is None:
        return plain.UNKNOWN
    zh = is_zh()
    if definition.kind == "money":
        return plain.money(value, zh=zh)
    if definition.kind == "number":
        return _number(value)
    if definition.kind == "date":
        return plain.day(value, today=today, zh=zh) if today else plain.day_full(value, zh=zh)
    return custom.label(definition, value, zh=zh)


def _number(value: Decimal) -> str:
    whole, point, places = f"{value:f}".partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-') or 0):,}{point}{places}"


def html(definition: custom.Definition, value: Any, *, today=None) -> Markup:
    """A value inside a cell or a list of facts: choices as tags."""
    if value is None:
        return Markup('<span class="gy-note">—</span>')
    if definition.kind in {"choice", "multi"}:
        zh = is_zh()
        keys = value if isinstance(value, list) else [value]
        tags = [
            f'<span class="gy-tag">{escape(custom.option_name(definition, key, zh=zh))}</span>'
            for key in keys
        ]
        return Markup(" ".join(tags))
    return Markup('<span class="ell" title="{0}">{0}</span>').format(
        text(definition, value, today=today)
    )


def as_typed(definition: custom.Definition, value: Any) -> Any:
    """What a form shows for a value: text, or for several choices the list of keys."""
    if value is None:
        return [] if definition.kind == "multi" else ""
    if definition.kind == "multi":
        return list(value)
    if definition.kind == "bool":
        return "1" if value else "0"
    if definition.kind == "money":
        return f"{value // 100}" if value % 100 == 0 else f"{Decimal(value) / 100:.2f}"
    if definition.kind == "number":
        return f"{value:f}"
    return value.isoformat() if definition.kind == "date" else str(value)


def typed(field: CustomField, post: Any) -> Any:
    """What a form sent for a field, in the shape of `as_typed`."""
    if field.kind == "multi":
        return [one for one in post.getlist(field.name) if one]
    return post.get(field.name, "").strip()


def read(field: CustomField, raw: Any) -> Any:
    """The value of what was typed; raises `BadCell`. An empty one is None."""
    definition = field.definition
    if not raw:
        return None
    if field.kind == "text":
        return " ".join(str(raw).split())[: custom.LONGEST_TEXT]
    if field.kind in {"choice", "multi"}:
        keys = raw if isinstance(raw, list) else [raw]
        known = {one.key for one in definition.options}
        if not known.issuperset(keys):
            raise BadCell("not_a_choice", choices=", ".join(name for _, name in options(field)))
        return keys if field.kind == "multi" else keys[0]
    return custom.read_cell(definition, raw)


def problem(bad: BadCell) -> str:
    sentence = gettext(MESSAGES[bad.code]) % bad.params
    return sentence[:1].upper() + sentence[1:]


class CustomForm:
    """The custom part of a customer's form: fields with what is typed and what is wrong."""

    def __init__(self, fields: list[CustomField], raw: Mapping[str, Any]):
        self.fields = fields
        self.raw = dict(raw)
        self.errors: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    @classmethod
    def posted(cls, fields, post):
        """Fields that the form did not show are left alone."""
        shown = [field for field in fields if f"has.{field.name}" in post]
        form = cls(fields, {field.key: typed(field, post) for field in shown})
        for field in shown:
            form._take(field)
        return form

    @classmethod
    def of(cls, fields, values):
        raw = {f.key: as_typed(f.definition, values.get(f.key)) for f in fields}
        return cls(fields, raw)

    def _take(self, field):
        try:
            value = read(field, self.raw[field.key])
        except BadCell as bad:
            self.errors[field.key] = problem(bad)
            return
        if value is None and field.is_required:
            self.errors[field.key] = gettext("This is needed.")
            return
        self.values[field.key] = value

    def refused(self, refusal, text_of):
        """Put a refusal of the action beside its field; False where it is about another one."""
        name = str(refusal.params.get("field", ""))
        if not name.startswith(custom.PREFIX):
            return False
        self.errors[name.removeprefix(custom.PREFIX)] = text_of(refusal)
        return True


def typed_label(field: CustomField) -> str:
    """The label where a bare number is typed: amounts count in 万 in Chinese, else in thousands."""
    if field.kind != "money":
        return pick(field)
    name = {"name": pick(field)}
    return (
        gettext("%(name)s, 10k yuan") % name if is_zh() else gettext("%(name)s, thousands") % name
    )
