"""Versions of an SOP: what each changed; an old one opened again as a draft."""

from django.db.models import Count
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.sop.actions import drafts
from gengyun.sop.models import SopVersion
from gengyun.web.access import page
from gengyun.web.present.sop_diff import diff
from gengyun.web.refusals import refusal_text
from gengyun.web.render import toast, warn
from gengyun.web.views.condition_words import Words
from gengyun.web.views.sops.common import found_sop, show


@page()
def listing(request, pk):
    sop = found_sop(pk)
    versions = list(
        SopVersion.objects.filter(sop=sop)
        .select_related("published_by")
        .annotate(runs_count=Count("runs"))
        .order_by("-number")
    )
    words = Words()
    rows = [
        {
            "version": version,
            "runs": version.runs_count,
            "is_first": older is None,
            "lines": diff(older.form, version.form, words) if older else [],
        }
        for version, older in zip(versions, [*versions[1:], None], strict=True)
    ]
    return show(request, "sops/versions.html", sop, "versions", {"rows": rows})


@page("sops.edit", methods=("POST",))
def reopen(request, pk, number):
    sop = found_sop(pk)
    version = SopVersion.objects.filter(sop=sop, number=number).first()
    if version is None:
        raise NotFound
    try:
        drafts.save_draft(actor=request.user, now=request.now, sop=sop, form=version.form)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        warn(request, refusal_text(refusal))
        return HttpResponseRedirect(reverse("web:sop_versions", args=[pk]), status=303)
    toast(request, _("Version %(number)s is open as a draft.") % {"number": number})
    return HttpResponseRedirect(reverse("web:sop", args=[pk]), status=303)
