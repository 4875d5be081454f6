"""Conditions of segments and SOPs as sentences."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.customers.queries.custom_fields import fields_named
from gengyun.kernel.errors import Refusal
from gengyun.portfolio.calc import expressions
from gengyun.portfolio.calc.expressions import All, AnyOf, Changed, Held, Leaf, Not, StepIs
from gengyun.portfolio.calc.filters import Filter
from gengyun.web.present import format as plain
from gengyun.web.views import filters
from gengyun.web.words import is_zh

STATES = expressions.STEP_STATES
NAMED = {"owner", "tier", "stage", "band", "pace", "trend"}


def step_state(state):
    return {
        "done": pgettext("step", "is done"),
        "skipped": pgettext("step", "was skipped"),
        "suppressed": pgettext("step", "was not sent"),
        "failed": pgettext("step", "failed"),
        "open": pgettext("step", "is still open"),
        "dropped": pgettext("step", "was dropped"),
        "sent": pgettext("step", "was sent"),
        "bounced": pgettext("step", "bounced"),
        "answered": pgettext("step", "was answered"),
        "not_answered": pgettext("step", "was not answered"),
    }[state]


@dataclass(frozen=True)
class Said:
    label: str
    text: str

    def __str__(self):
        return f"{self.label} {self.text}" if self.text else self.label


class Words:
    """Says conditions; `steps`: {key: title} of the SOP that they stand in."""

    def __init__(self, steps=None):
        self.steps = steps or {}
        self._labels = filters.labels()
        self._customs = {}

    def sentence(self, raw):
        """A whole condition as one line; "" where there is none."""
        if not raw:
            return ""
        try:
            return self.tree(expressions.parse(raw, with_steps=True))
        except Refusal:
            return _("a condition that is not understood")

    def tree(self, node, *, is_inner=False):
        if isinstance(node, Not):
            text = self.tree(node.part, is_inner=True)
            return _("not (%(condition)s)") % {"condition": text.strip("（）()")}
        if isinstance(node, All | AnyOf):
            parts = [self.tree(part, is_inner=True) for part in node.parts]
            if not parts:
                return _("everybody") if isinstance(node, All) else _("nobody")
            is_all = isinstance(node, All)
            word = pgettext("condition", " and ") if is_all else pgettext("condition", " or ")
            text = word.join(parts)
            if is_inner and len(parts) > 1:
                return f"（{text}）" if is_zh() else f"({text})"
            return text
        return str(self.leaf(node))

    def leaf(self, leaf):
        if isinstance(leaf, StepIs):
            name = self.steps.get(leaf.key) or leaf.key
            return Said(_("“%(name)s”") % {"name": name}, step_state(leaf.state))
        if isinstance(leaf, Held):
            inside = self.leaf(leaf.of)
            words = ngettext(
                "%(condition)s for at least %(n)s day",
                "%(condition)s for at least %(n)s days",
                leaf.days,
            )
            return Said(inside.label, words % {"condition": inside.text, "n": leaf.days})
        if isinstance(leaf, Changed):
            return Said(self.label(leaf.field), self._changed(leaf))
        found = leaf.filter if isinstance(leaf, Leaf) else leaf
        return Said(self.label(found.field), self._said(found))

    def value(self, said):
        """What the customer has, where a condition asks for it: "is 61", "not known"."""
        leaf = said.leaf
        if isinstance(leaf, StepIs):
            return ""
        found = leaf.of if isinstance(leaf, Held) else leaf
        field = found.field if isinstance(found, Changed) else found.filter.field
        if field == "segment" and said.value is not None:
            return _("is in it") if said.value else _("is not in it")
        if said.value is None or said.value == "":
            return _("is not known") if said.holds is None else _("is not set")
        if isinstance(said.value, list | tuple | set | frozenset):
            values = [str(one) for one in said.value]
            return ", ".join(values) or _("is not set")
        return _("is %(value)s") % {"value": self._value_text(field, said.value)}

    def _value_text(self, field, value):
        if isinstance(value, date):
            return plain.day_full(value, zh=is_zh())
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if field in NAMED:
            return self._value(field, str(value))
        return _number(field, value) if isinstance(value, int | float) else str(value)

    def label(self, field):
        custom = self.custom(field)
        if custom is not None:
            return filters.field_label(custom)
        return self._labels.get(field, field)

    def custom(self, field):
        if field not in self._customs:
            self._customs[field] = fields_named([field]).get(field)
        return self._customs[field]

    def _said(self, found):
        try:
            return filters.said(found, self.custom(found.field))
        except (ValueError, KeyError, TypeError, AttributeError):
            return str(found.value)

    def _changed(self, leaf):
        values = {
            "before": leaf.before and self._value(leaf.field, leaf.before),
            "after": leaf.after and self._value(leaf.field, leaf.after),
        }
        if leaf.before and leaf.after:
            return _("changed from %(before)s to %(after)s") % values
        if leaf.after:
            return _("became %(after)s") % values
        if leaf.before:
            return _("is no longer %(before)s") % values
        return _("changed")

    def _value(self, field, value):
        """One value of a field, as it is named elsewhere."""
        named = int(value) if field in {"owner", "tier", "stage"} and value.isdecimal() else value
        text = self._said(Filter(field, "in", [named]))
        return text.removeprefix(_("is %(value)s") % {"value": ""}).strip()


def _number(field, value):
    if field == "arr":
        return plain.money(value, zh=is_zh())
    if field == "churn":
        return plain.percent(value)
    return plain.number(value) + ("%" if field == "active_change" else "")
