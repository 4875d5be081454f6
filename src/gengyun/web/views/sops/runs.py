"""Participants of an SOP: the list, the run log, one run as its checklist."""

from django.core.paginator import Paginator
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.engagement.models import Touch
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.texts import keepable
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.actions import control
from gengyun.sop.models import Decision, Run, StepRun
from gengyun.sop.models.run import ACTIVE
from gengyun.team.queries.access import can, customer_scope
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import sop_reasons, sop_runs, sop_words
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, toast, warn
from gengyun.web.views.sops.common import found_sop, show

PAGE = 50
STATES = ("active", "done", "exited", "stopped", "failed", "holdout")


@page()
def listing(request, pk):
    """Who takes part, the newest first; by state, by name."""
    sop = found_sop(pk)
    state = request.GET.get("state", "")
    asked = keepable(request.GET.get("q", "")).strip()[:80]
    rows = Run.objects.visible_to(request.user).filter(sop=sop)
    rows = rows.select_related("customer", "contact", "version").order_by("-entered_at", "-pk")
    if state == "active":
        rows = rows.filter(state__in=ACTIVE, arm=Run.Arm.TREAT)
    elif state == "holdout":
        rows = rows.filter(arm=Run.Arm.HOLDOUT)
    elif state in STATES:
        rows = rows.filter(state=state, arm=Run.Arm.TREAT)
    if asked:
        rows = rows.filter(customer__name__icontains=asked)
    found = _page(request, rows)
    summaries = CustomerSummary.objects.in_bulk([run.customer_id for run in found.object_list])
    context = {
        "found": found,
        "rows": [
            {
                "run": run,
                "summary": summaries.get(run.customer_id),
                "state": sop_words.run_state(run),
                "at": sop_runs.standing(run, today=request.today),
                "end": sop_reasons.sentence(run.end_reason),
            }
            for run in found.object_list
        ],
        "state": state,
        "asked": asked,
        "filters": _filters(),
    }
    tab = "active" if state == "active" else "runs"
    return show(request, "sops/runs.html", sop, tab, context)


def _filters():
    return [
        ("", _("All")),
        ("active", _("Under way")),
        ("done", _("Done")),
        ("exited", _("Left early")),
        ("stopped", _("Stopped")),
        ("failed", _("Failed")),
        ("holdout", _("Hold-out")),
    ]


def _page(request, rows):
    wanted = request.GET.get("page", "1")
    number = int(wanted) if is_number(wanted) and len(wanted) < 7 else 1
    return Paginator(rows, PAGE).get_page(number)


@page()
def log(request, pk):
    """Every decision about every participant; and who did not enter, with the reason."""
    sop = found_sop(pk)
    which = request.GET.get("which", "")
    scope = customer_scope(request.user, owner="run__customer__owner")
    rows = StepRun.objects.filter(scope, run__sop=sop).order_by("-at", "-pk")
    if which == StepRun.State.SUPPRESSED:
        # a message may be refused, taken back or run out of time after its step
        since = Touch.objects.filter(state=Touch.State.SUPPRESSED, source__startswith="sop:")
        refs = since.values_list(Concat(Value("touch:"), Cast("pk", CharField())))
        rows = rows.filter(Q(state=which) | Q(kind="message", ref__in=refs))
    elif which in StepRun.State.values:
        rows = rows.filter(state=which)
    if which == "not_entered":
        scope = customer_scope(request.user, owner="customer__owner")
        rows = Decision.objects.filter(scope, version__sop=sop).select_related(
            "customer", "version"
        )
    else:
        rows = rows.select_related("run", "run__customer", "run__version")
    found = _page(request, rows)
    context = {
        "found": found,
        "lines": [sop_runs.decision(row) for row in found.object_list]
        if which == "not_entered"
        else sop_runs.log(found.object_list, today=request.today),
        "which": which,
        "filters": [
            ("", _("All steps")),
            ("suppressed", _("Not sent")),
            ("skipped", _("Skipped")),
            ("failed", _("Failed")),
            ("not_entered", _("Did not enter")),
        ],
    }
    return show(request, "sops/log.html", sop, "log", context)


@page()
def one(request, pk):
    """One participant's way: the checklist ticked, with what was skipped and why."""
    run = _found(request, pk)
    context = {
        "run": run,
        "state": sop_words.run_state(run),
        "lines": sop_runs.checklist(run, today=request.today),
        "facts": sop_runs.entry_facts(run),
        "end": sop_reasons.sentence(run.end_reason),
        "summary": CustomerSummary.objects.filter(pk=run.customer_id).first(),
        "is_active": run.state in ACTIVE,
        "may_stop": can(request.user, "sops.start") and run.state in ACTIVE,
        "others": list(
            Run.objects.filter(sop=run.sop, customer=run.customer)
            .exclude(pk=run.pk)
            .select_related("version")[:10]
        ),
    }
    return show(request, "sops/run.html", run.sop, "runs", context)


@page("sops.start", methods=("POST",))
def stop(request, pk):
    run = _found(request, pk)
    try:
        control.stop_run(actor=request.user, now=request.now, run=run)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        warn(request, refusal_text(refusal))
    else:
        name = run.customer.name
        toast(request, _("Stopped for %(name)s; tasks that were made stay.") % {"name": name})
    return back(request, reverse("web:sop_run", args=[pk]))


def _found(request, pk):
    run = (
        Run.objects.visible_to(request.user)
        .select_related("sop", "version", "customer", "customer__owner", "contact", "entered_by")
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise NotFound
    return run
