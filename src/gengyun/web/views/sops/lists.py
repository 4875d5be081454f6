"""All SOPs; a new one from the library, as a copy, or blank; its name, pause and stop."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import TouchModel
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.jobs import add
from gengyun.kernel.texts import keepable
from gengyun.sop.actions import control, drafts
from gengyun.sop.calc.check import check
from gengyun.sop.jobs import evaluate_sops
from gengyun.sop.models import Sop
from gengyun.sop.queries.effect import verdicts
from gengyun.sop.queries.known import known
from gengyun.sop.queries.overview import overview
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import sop_effects, sop_words
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, render, toast, warn
from gengyun.web.views.sops import library
from gengyun.web.views.sops.choices import touch_models
from gengyun.web.views.sops.common import found_sop


@page()
def listing(request):
    rows = overview(request.user, today=request.today)
    found = verdicts([row.sop.pk for row in rows])
    faults = _faults(rows)
    context = {
        "rows": [
            {
                "row": row,
                "sop": row.sop,
                "state": sop_words.state(row.sop.state),
                "effect": sop_effects.cell(found.get(row.sop.pk)),
                "faults": faults.get(row.sop.pk, 0),
            }
            for row in rows
        ],
        "running": sum(row.sop.state == Sop.State.LIVE for row in rows),
        "active": sum(row.active for row in rows),
        "entered": sum(row.entered for row in rows),
        "touch_models": dict(touch_models()),
        "may_edit": can(request.user, "sops.edit"),
    }
    return render(request, "sops/list.html", context)


def _faults(rows):
    """{SOP: how many things in its running version are not there any more}: a field that was
    deleted lets nobody in, a channel that is gone sends nothing, and neither says so by itself."""
    running = [row for row in rows if row.published and row.sop.state in _RUNS]
    there = known() if running else None
    return {row.sop.pk: len(check(row.published.form, there)) for row in running}


_RUNS = (Sop.State.LIVE, Sop.State.PAUSED)


@page("sops.edit", methods=("GET", "POST"))
def new(request):
    if request.method == "GET":
        return _choose(request)
    name = keepable(request.POST.get("name", "")).strip()
    key = request.POST.get("library", "")
    common = {"actor": request.user, "now": request.now}
    try:
        if key:
            sop = library.copy(key, name=name, **common)
        else:
            sop = drafts.create_sop(name=name, **common)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        return _choose(request, error=refusal_text(refusal), status=422)
    toast(request, _("Made as a draft. Try it, then publish it."))
    return HttpResponseRedirect(reverse("web:sop", args=[sop.pk]), status=303)


def _choose(request, *, error="", status=200):
    context = {
        "groups": library.groups(),
        "error": error,
        "name": request.POST.get("name", "")[:80],
    }
    return render(request, "sops/new.html", context, status=status)


@page("sops.edit", methods=("POST",))
def rename(request, pk):
    sop = found_sop(pk)
    touch = request.POST.get("touch_model", "")
    try:
        drafts.rename(
            actor=request.user,
            now=request.now,
            sop=sop,
            name=keepable(request.POST.get("name", "")).strip(),
            touch_model=touch if touch in TouchModel.values else "",
        )
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
    else:
        toast(request, _("Saved."))
    return back(request, reverse("web:sop", args=[pk]))


@page("sops.edit", methods=("POST",))
def delete(request, pk):
    """Of a draft that never ran."""
    sop = found_sop(pk)
    try:
        drafts.delete_sop(actor=request.user, now=request.now, sop=sop)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        warn(request, refusal_text(refusal))
        return back(request, reverse("web:sop", args=[pk]))
    toast(request, _("%(name)s is deleted.") % {"name": sop.name})
    return HttpResponseRedirect(reverse("web:sops"), status=303)


_SAID = {
    "pause": lambda: _("%(name)s is paused: nobody enters and nobody goes on."),
    "resume": lambda: _("%(name)s goes on."),
    "stop": lambda: _("%(name)s is stopped; its runs have ended."),
}


@page("sops.edit", methods=("POST",))
def steer(request, pk):
    """Pause, go on, stop for good."""
    sop, verb = found_sop(pk), request.POST.get("verb", "")
    if verb not in _SAID:
        raise NotFound
    do = {"pause": control.pause, "resume": control.resume, "stop": control.stop}[verb]
    try:
        do(actor=request.user, now=request.now, sop=sop)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        warn(request, refusal_text(refusal))
    else:
        if verb == "resume":
            add(evaluate_sops, unique_key="evaluate_sops")
        toast(request, _SAID[verb]() % {"name": sop.name})
    return back(request, reverse("web:sop", args=[pk]))
