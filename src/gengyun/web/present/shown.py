"""Values of a customer that can be edited in place, as HTML: in a list, on the page, in the panel.

One place says what such a cell looks like. A list draws hundreds of them, so the words are settled
once and the rest is string work.
"""

from markupsafe import Markup, escape

from gengyun.web.present import custom, marks
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pick


class Shown:
    """`url` and `icon` are the template's functions; `thing` is a customer or its summary."""

    def __init__(self, *, today, may_edit, may_assign, url, icon):
        self.today, self.zh = today, is_zh()
        self.may_edit, self.may_assign = may_edit, may_assign
        self.url, self.pen = url, icon("edit")
        self.words = {
            "step": escape(_("Edit the next step")),
            "no_step": escape(_("none yet")),
            "owner": escape(_("Change the owner")),
            "nobody": escape(_("nobody yet")),
            "tier": escape(_("Change the tier")),
        }

    def _editable(self, pk, field, label, inner, *, changed=False, more=""):
        path = self.url("customer_cell", pk, field)
        cls = "gy-ed chg" if changed else "gy-ed"
        return (
            f'<a class="{cls}" href="{path}" hx-get="{path}" hx-swap="outerHTML"{more}'
            f' title="{label}">{inner}{self.pen}</a>'
        )

    def step(self, thing, changed=False):
        text, on = escape(thing.next_step), thing.next_step_on
        due = ""
        if on is not None:
            late = " text-danger" if self.may_edit and on < self.today else ""
            said = plain.due(on, today=self.today, zh=self.zh)
            due = f'<span class="sub{late}">{said}</span>'
        if not self.may_edit:
            return Markup(f'<span class="tx"><span class="ell">{text or "—"}</span>{due}</span>')
        inner = f'<span class="tx"><span class="ell" title="{text}">{text}</span>{due}</span>'
        if not text:
            inner = f'<span class="gy-note">{self.words["no_step"]}</span>'
        label = f"{self.words['step']}: {text or self.words['no_step']}"
        link = self._editable(
            thing.pk, "next_step", label, inner, changed=changed, more=" data-edit"
        )
        return Markup(link)

    def owner(self, thing, changed=False):
        name = escape(thing.owner.name) if thing.owner else ""
        if not self.may_assign:
            return Markup(name or "—")
        inner = name or f'<span class="gy-note">{self.words["nobody"]}</span>'
        label = f"{self.words['owner']}: {name or self.words['nobody']}"
        return Markup(
            self._editable(thing.pk, "owner", label, f"<span>{inner}</span>", changed=changed)
        )

    def tier(self, thing, changed=False):
        inner = marks.tier_tag(thing.tier)
        if not self.may_assign:
            return inner
        return Markup(self._editable(thing.pk, "tier", self.words["tier"], inner, changed=changed))

    def custom(self, pk, field, definition, value, changed=False):
        """A value of a custom field; `definition` comes along since a list settles it once."""
        inner = custom.html(definition, value, today=self.today)
        if not self.may_edit:
            return inner
        label = escape(f"{pick(field)}: {custom.text(definition, value)}")
        return Markup(
            self._editable(pk, definition.name, label, f"<span>{inner}</span>", changed=changed)
        )
