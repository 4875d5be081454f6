"""What the rows of conditions and the lines of steps offer and say: `c` of the templates."""

from functools import cached_property

from django.utils.translation import gettext as _

from gengyun.web.present import condition_form as conditions
from gengyun.web.present import sop_tree, sop_words, touches
from gengyun.web.views.condition_words import STATES, step_state
from gengyun.web.views.sops import choices
from gengyun.web.words import is_zh


class Rows:
    """Conditions of a segment, or of the entry of an SOP, where no step can be asked about."""

    def __init__(self, fields, errors, was=None):
        self.fields, self.errors, self.was = fields, errors, was or {}
        self.steps, self.step_keys = [], set()

    @cached_property
    def states(self):
        return [(state, step_state(state)) for state in STATES]

    @staticmethod
    def hows(field):
        found = [("now", _("now")), ("held", _("for at least"))]
        if field and field.can_change:  # of a field that is gone there is nothing
            found.append(("changed", _("has changed")))
        return found


class Choices(Rows):
    """All of the editor of an SOP."""

    kinds = property(lambda self: sop_words.kinds())
    roles = property(lambda self: sop_words.roles())
    recipients = property(lambda self: sop_words.recipients())
    modes = property(lambda self: sop_words.modes())
    approvers = property(lambda self: touches.approvers())
    bmat = property(lambda self: sop_words.bmat())
    icon_of = staticmethod(sop_words.kind_icon)

    def __init__(self, edit, errors, changes):
        super().__init__(edit.fields, errors, changes.was)
        self.edit = edit
        self.items = list(sop_tree.items_of(edit.draft["block"]))
        self.gotos = [
            (item["key"], _("go to “%(name)s”") % {"name": edit.titles[item["key"]]})
            for item in self.items
            if item["kind"] != "wait"
        ]
        self.channels = choices.channels(edit.known)
        self.webhooks = choices.webhooks(edit.known)
        self.surveys = choices.surveys()
        self.causes = choices.causes()
        self.severities = choices.severities()
        self.categories = choices.categories()
        self.variables = choices.variables()
        self.dates = choices.dates()
        self.settable, self.settable_values = choices.settable()
        self.languages = [("zh", _("in Chinese")), ("en", _("in English"))]
        if not is_zh():
            self.languages.reverse()
        self.say = sop_words.StepWords(
            self.sentence,
            channels=self.channels,
            surveys=self.surveys,
            settable=self.settable,
            values=self.settable_values,
            dates=self.dates,
            causes=self.causes,
            webhooks=self.webhooks,
        )

    @cached_property
    def numbered(self):
        """Steps as they are counted: waits are no steps."""
        return [item for item in self.items if item["kind"] != "wait"]

    def inside(self, key):
        """For conditions inside the step: they may ask what became of the others."""
        rows = Rows(self.fields, self.errors, self.was)
        rows.steps = [(k, name) for k, name in self.edit.titles.items() if k != key]
        rows.step_keys = {k for k, _name in rows.steps}
        return rows

    def sentence(self, node):
        """Of a condition as it is being edited."""
        if not node["parts"]:
            return ""
        raw, errors = conditions.to_json(node, self.fields, name="x", with_steps=True)
        return "" if errors else self.edit.words.sentence(raw)

    def is_bad(self, at):
        return any(name == at or name.startswith(self._own(at)) for name in self.errors)

    @staticmethod
    def _own(at):
        return f"{at}."

    def is_open(self, item, at):
        """New, or with a fault that is in the step itself and not in one of its ways."""
        if item["key"] == self.edit.opened:
            return True
        ways = (f"{at}.cases.", f"{at}.otherwise.", f"{at}.late.")
        for name in self.errors:
            if name.startswith(f"{at}.") and (not name.startswith(ways) or _is_when(name, at)):
                return True
        return False

    def bmat_word(self, letter):
        return next(word for key, word, _about in self.bmat if key == letter)


def _is_when(name, at):
    parts = name.removeprefix(f"{at}.").split(".")
    return len(parts) > 2 and parts[0] == "cases" and parts[2] == "when"
