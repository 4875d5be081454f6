"""What the pages of one SOP share: finding it, its head and tabs."""

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.models.run import ACTIVE
from gengyun.team.queries.access import can
from gengyun.web.jinja import url
from gengyun.web.present import format as plain
from gengyun.web.present import sop_words
from gengyun.web.render import render
from gengyun.web.views.sops.choices import touch_models
from gengyun.web.words import is_zh


def found_sop(pk):
    sop = Sop.objects.select_related("owner").filter(pk=pk).first()
    if sop is None:
        raise NotFound
    return sop


def versions_of(sop):
    """(the published one or None, the draft or None)"""
    rows = SopVersion.objects.filter(sop=sop, state__in=["published", "draft"])
    by_state = {row.state: row for row in rows.select_related("published_by")}
    return by_state.get("published"), by_state.get("draft")


def show(request, template, sop, tab, context, *, block=None, status=200):
    """A page of one SOP, or a block of it."""
    if block is None:
        context = frame(request, sop, tab) | context
    may_edit = can(request.user, "sops.edit") and sop.state != Sop.State.STOPPED
    common = {"sop": sop, "may_edit": may_edit, "may_start": can(request.user, "sops.start")}
    return render(request, template, common | context, block=block, status=status)


def frame(request, sop, tab):
    """Head and tabs; counts are of the customers that one may see."""
    runs = Run.objects.visible_to(request.user).filter(sop=sop)
    counts = runs.aggregate(
        active=Count("pk", filter=Q(state__in=ACTIVE, arm=Run.Arm.TREAT)), runs=Count("pk")
    )
    versions = SopVersion.objects.filter(sop=sop)
    tabs = [
        ("edit", _("Edit"), url("sop", sop.pk), None),
        ("active", _("Under way"), url("sop_runs", sop.pk) + "?state=active", counts["active"]),
        ("runs", _("Runs"), url("sop_runs", sop.pk), counts["runs"]),
        ("log", _("Run log"), url("sop_log", sop.pk), None),
        ("versions", _("Versions"), url("sop_versions", sop.pk), versions.count()),
        ("effect", _("Effect"), url("sop_effect", sop.pk), None),
    ]
    if tab == "program":
        tabs.append(("program", _("By program"), url("sop_program", sop.pk), None))
    return {
        "head": head(request, sop, versions),
        "tabs": tabs,
        "tab": tab,
        "touch_models": touch_models(),
    }


def head(request, sop, versions):
    rows = {row.state: row for row in versions.select_related("published_by")}
    published, draft = rows.get("published"), rows.get("draft")
    tone, word = sop_words.state(sop.state)
    said = []
    if published:
        said.append(_("version %(number)s") % {"number": published.number})
        day = plain.day(day_of(published.published_at), today=request.today, zh=is_zh())
        who = published.published_by.name if published.published_by else _("the system")
        said.append(_("published %(day)s by %(name)s") % {"day": day, "name": who})
    else:
        said.append(_("never published"))
    if draft and published:
        said.append(_("draft version %(number)s") % {"number": draft.number})
    if sop.touch_model:
        said.append(dict(touch_models()).get(sop.touch_model, sop.touch_model))
    if published and published.evaluated_on:
        day = plain.day(published.evaluated_on, today=request.today, zh=is_zh())
        said.append(_("entries looked at on %(day)s") % {"day": day})
    return {"tone": tone, "word": word, "said": said}


def counted(number):
    return ngettext("%(num)s customer", "%(num)s customers", number) % {"num": number}
