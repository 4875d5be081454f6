"""SOPs on the customer's page: what runs, why the others do not; started by hand."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.sop.actions.by_hand import enter_by_hand
from gengyun.sop.models import Run, Sop
from gengyun.sop.models.run import ACTIVE
from gengyun.sop.queries.why import why
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import sop_reasons, sop_runs, sop_words
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast, warn
from gengyun.web.undo import remember
from gengyun.web.views.condition_words import Words
from gengyun.web.views.customer import header
from gengyun.web.views.sops.dry import leaf_line
from gengyun.web.words import is_zh

MOST = 30  # SOPs explained at once
IN_IT = ("running", "holdout")


@page()
def card(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | _context(request, customer)
    block = "sops" if is_htmx(request) else None
    return render(request, "customer/sops.html", context, block=block)


def _context(request, customer):
    words = Words()
    rows = []
    wanted = Q(state__in=[Sop.State.LIVE, Sop.State.PAUSED]) | Q(runs__customer=customer)
    for sop in Sop.objects.filter(wanted).distinct().order_by("name", "pk")[:MOST]:
        found = why(sop, customer, day=request.today, actor=request.user)
        rows.append(_row(sop, found, words, request.today))
    return {
        "running": [row for row in rows if row["active"]],
        "others": [row for row in rows if not row["active"] and row["sop"].state == "live"],
        "ended": [row for row in rows if row["runs"]],
        "startable": startable(request.user),
    }


def _row(sop, found, words, today):
    active = next((run for run in found.runs if run.state in ACTIVE), None)
    steps = found.lines.get(active.pk, []) if active else []
    made = sop_runs.became(steps, today=today)
    return {
        "sop": sop,
        "active": active,
        "state": sop_words.run_state(active) if active else None,
        "standing": sop_runs.standing(active, today=today) if active else "",
        "lines": [sop_runs.of_step(line, active.version, made) for line in steps[-3:]],
        "kept_back": [
            sop_runs.of_step(line, run.version)
            for run in found.runs[:1]
            for line in found.lines.get(run.pk, ())
            if line.state in {"suppressed", "failed"}
        ],
        "said": _said(found, words),
        "since": found.since,
        "leaves": [leaf_line(one, words) for one in found.said],
        "runs": [
            (run, sop_words.run_state(run), sop_reasons.sentence(run.end_reason))
            for run in found.runs
            if run.state not in ACTIVE
        ],
        "decisions": [
            (row.on, sop_reasons.sentence(row.reason, row.told)) for row in found.decisions[:3]
        ],
    }


def _said(found, words):
    """The first condition that does not hold says more than "does not fulfil the condition"."""
    if found.outcome in {"not_fitting", "unknown"}:
        wanted = False if found.outcome == "not_fitting" else None
        leaf = next((one for one in found.said if one.holds is wanted), None)
        if leaf is not None:
            condition, value = str(words.leaf(leaf.leaf)), words.value(leaf)
            if leaf.holds is None:
                return _("not known: %(condition)s") % {"condition": condition}
            return _("not so: %(condition)s, it %(value)s") % {
                "condition": condition,
                "value": value,
            }
    return sop_reasons.sentence(found.outcome, found.told)


def startable(user):
    """SOPs that a person may start now."""
    if not can(user, "sops.start"):
        return []
    return list(Sop.objects.filter(state=Sop.State.LIVE).order_by("name", "pk"))


@page("sops.start")
def choose(request):
    """What the bar of the list of customers offers: fetched when it is opened."""
    return render(request, "sops/choose.html", {"sops": startable(request.user)})


@page("sops.start", methods=("POST",))
def start(request, pk):
    """For one customer, from their page."""
    customer = customer_queries.get(request.user, pk)
    start_for(request, [customer])
    return back(request, reverse("web:customer", args=[pk]) + "#s-sops")


def start_for(request, customers):
    """Starts the SOP that the form names; says how many entered and why the others did not."""
    wanted = request.POST.get("sop", "")
    sop = next((one for one in startable(request.user) if str(one.pk) == wanted), None)
    if sop is None:
        raise NotFound
    try:
        outcome = enter_by_hand(actor=request.user, now=request.now, sop=sop, customers=customers)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        warn(request, refusal_text(refusal))
        return
    entered = [key for key, reason in outcome.items() if reason == "entered"]
    runs = Run.objects.active().filter(sop=sop, customer__in=entered, entered_by=request.user)
    undo = remember(request, "sop_started", list(runs.values_list("pk", flat=True)))
    words = ngettext(
        "%(sop)s: started for %(num)s customer",
        "%(sop)s: started for %(num)s customers",
        len(entered),
    )
    said = words % {"sop": sop.name, "num": len(entered)}
    parts = [said, *_refused(outcome)]
    toast(request, ("；" if is_zh() else "; ").join(parts), undo=undo if entered else "")


def _refused(outcome):
    """["2: is in it already", …], the most frequent first."""
    counts = {}
    for reason in outcome.values():
        if reason != "entered":
            counts[reason] = counts.get(reason, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [
        _("%(num)s not: %(reason)s") % {"num": n, "reason": sop_reasons.sentence(reason)}
        for reason, n in ordered
    ]
