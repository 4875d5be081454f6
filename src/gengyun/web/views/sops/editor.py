"""One SOP in the editor: what changes it, tries it, keeps it as a draft, publishes it."""

from django.utils.translation import gettext as _

from gengyun.kernel.errors import Refusal, filled
from gengyun.kernel.jobs import add
from gengyun.sop.actions import drafts
from gengyun.sop.calc.check import check
from gengyun.sop.jobs import evaluate_sops
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.models.run import ACTIVE
from gengyun.sop.queries.known import known
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.present import form_steps, sop_changes, sop_form, sop_places, sop_tree, sop_words
from gengyun.web.present.sop_writing import form_of
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, toast
from gengyun.web.undo import remember
from gengyun.web.views.condition_fields import condition_fields
from gengyun.web.views.condition_words import Words
from gengyun.web.views.settings.common import go
from gengyun.web.views.sops import choices, dry
from gengyun.web.views.sops.common import found_sop, show, versions_of
from gengyun.web.views.sops.conditions import Choices
from gengyun.web.views.sops.program import curl
from gengyun.web.words import gettext

TEMPLATE = "sops/edit.html"


@page(methods=("GET", "POST"))
def editor(request, pk):
    sop = found_sop(pk)
    fields = condition_fields(request.user)
    if request.method == "GET":
        published, saved = versions_of(sop)
        form = (saved or published).form if saved or published else {}
        edit = Editing(request, sop, fields, sop_form.draft_of(form, fields))
        return edit.page(show_errors=bool(form.get("steps")))
    if request.POST.get("do") == "dry":  # looking on is for everybody
        return _dry(request, sop, fields)
    require(request.user, "sops.edit")
    draft = sop_form.settle(sop_form.draft_of_post(request.POST), fields)
    verb = request.POST.get("do", "preview")
    if verb in _VERBS:
        return _VERBS[verb](Editing(request, sop, fields, draft))
    new = form_steps.act(draft, verb, fields, lambda kind: _new_item(draft, kind))
    edit = Editing(request, sop, fields, draft)
    edit.opened = _key_at(draft, new)
    is_adding = verb.partition("@")[0].partition(".")[0] in {"add", "row", "group", "case"}
    return edit.page(show_errors=not is_adding, block="editor")


def _new_item(draft, kind):
    return sop_form.new_item(kind, sop_form.free_key(draft, kind))


def _key_at(draft, name):
    """The step that is new, to be shown open; "" where it is a row of a condition."""
    if not name.rpartition(".")[0].endswith(".items"):
        return ""
    return form_steps.at(draft, name)["key"]


def _dry(request, sop, fields):
    draft = sop_form.settle(sop_form.draft_of_post(request.POST), fields)
    edit = Editing(request, sop, fields, draft)
    context = dry.context(
        request, sop, edit.form, words=edit.words, known=edit.known, day=request.today
    )
    if is_htmx(request) and request.headers.get("HX-Target") == "dry":
        return show(request, TEMPLATE, sop, "edit", context, block="dry")
    return edit.page(show_errors=True, block="editor", more=context)


class Editing:
    """What the page of a draft shows."""

    def __init__(self, request, sop, fields, draft):
        self.request, self.sop, self.fields, self.draft = request, sop, fields, draft
        self.published, self.saved = versions_of(sop)
        self.known = known()
        self.form, self.unread = form_of(draft, fields)
        self.problems = check(self.form, self.known)
        self.names = sop_places.names_of(draft)
        self.opened = ""
        titles = {
            item["key"]: item["title"] or sop_words.kind_word(item["kind"])
            for item in sop_tree.items_of(draft["block"])
        }
        self.words = Words(titles)
        self.titles = titles

    def errors(self):
        """{name of a field: sentence}"""
        found = {name: gettext(text) for name, text in self.unread.items()}
        for problem in self.problems:
            name = sop_places.field_of(problem.path, self.names)
            found.setdefault(name, self.say(problem))
        return found

    @staticmethod
    def say(problem):
        return filled(gettext(problem.msgid), dict(problem.params))

    def page(self, *, show_errors, block=None, status=200, more=None):
        if block and not is_htmx(self.request):
            block = None
        context = self.context(show_errors=show_errors) | {"is_part": bool(block)} | (more or {})
        return show(self.request, TEMPLATE, self.sop, "edit", context, block=block, status=status)

    def context(self, *, show_errors):
        errors = self.errors() if show_errors else {}
        base = self.published.form if self.published else None
        changes = sop_changes.changes(base, self.form, self.words, self.fields)
        offered = Choices(self, errors, changes)
        post = self.request.POST
        return {
            "draft": self.draft,
            "errors": errors,
            "problems": self.problem_rows() if show_errors else [],
            "c": offered,
            "published": self.published,
            "saved_draft": self.saved,
            "next_number": self.next_number(),
            "entry_kinds": sop_words.entry_kinds(),
            "events": choices.events(),
            "identities": sop_words.identities(),
            "recipients": sop_words.recipients(),
            "outcome_kinds": sop_words.outcome_kinds(),
            "metrics": choices.metrics(),
            "others": choices.other_sops(self.sop),
            "step_count": len(offered.numbered),
            "span": sop_words.span(self.form),
            "gone": changes.gone,
            "change_count": changes.count,
            "differs": self.differs(),
            "active_count": self.active_count(),
            "note": post.get("note", "")[:200],
            "migrate": post.get("migrate") == "1",
            "caps": choices.caps(),
            "effect_href": choices.effect_href(self.sop, self.published),
            "beside": choices.measured_beside(self.form, self.sop),
            "power": choices.power(self.form, self.sop, self.request.today),
            "curl": curl(self.request, self.sop),
            "dry": None,
            "why_asked": post.get("why", "")[:80],
        }

    def problem_rows(self):
        rows = []
        for problem in self.problems:
            key = sop_places.step_of(problem.path)
            name = self.titles.get(key, "")
            text = self.say(problem)
            said = _("%(step)s: %(problem)s") % {"step": name, "problem": text} if name else text
            rows.append({"text": said, "href": f"#step-{key}" if name else "#who-h"})
        for name, text in self.unread.items():
            rows.append({"text": gettext(text), "href": f"#f-{name}"})
        return rows

    def differs(self):
        """From what is published, read and written the same way."""
        if self.published is None or self.unread:
            return True
        before, _unread = form_of(sop_form.draft_of(self.published.form, self.fields), self.fields)
        return before != self.form

    def next_number(self):
        if self.saved:
            return self.saved.number
        last = SopVersion.objects.filter(sop=self.sop).order_by("-number").first()
        return last.number + 1 if last else 1

    def active_count(self):
        if self.published is None:
            return 0
        return Run.objects.filter(
            sop=self.sop, version=self.published, state__in=ACTIVE, arm=Run.Arm.TREAT
        ).count()


def _save(edit):
    """Drafts may have faults; what cannot be read as a number is not kept as one."""
    if edit.unread:
        return edit.page(show_errors=True, block="editor", status=422)
    edit.saved = drafts.save_draft(
        actor=edit.request.user, now=edit.request.now, sop=edit.sop, form=edit.form
    )
    toast(edit.request, _("Draft saved. It does nothing until it is published."))
    return edit.page(show_errors=True, block="editor")


def _discard(edit):
    form = edit.saved.form if edit.saved else None
    try:
        drafts.discard_draft(actor=edit.request.user, now=edit.request.now, sop=edit.sop)
    except Refusal as refusal:
        return go(edit.request, "sop", edit.sop.pk, said=refusal_text(refusal))
    undo = remember(edit.request, "sop_draft", {"pk": edit.sop.pk, "form": form}) if form else ""
    return go(edit.request, "sop", edit.sop.pk, said=_("The draft is gone."), undo=undo)


def _publish(edit):
    if edit.unread or edit.problems:
        return edit.page(show_errors=True, block="editor", status=422)
    request, post = edit.request, edit.request.POST
    common = {"actor": request.user, "now": request.now, "sop": edit.sop}
    try:
        drafts.save_draft(form=edit.form, **common)
        version = drafts.publish(
            note=post.get("note", "").strip()[:200], migrate=post.get("migrate") == "1", **common
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        more = {"errors": edit.errors() | {"": refusal_text(refusal)}}
        return edit.page(show_errors=True, block="editor", status=422, more=more)
    add(evaluate_sops, unique_key="evaluate_sops")
    said = _("Version %(number)s is published.") % {"number": version.number}
    if edit.sop.state == Sop.State.DRAFT or not edit.published:
        said += " " + _(
            "It runs from now on; who fulfils its condition enters with the next judgement."
        )
    return go(request, "sop_runs", edit.sop.pk, said=said)


_VERBS = {"save": _save, "discard": _discard, "publish": _publish}
