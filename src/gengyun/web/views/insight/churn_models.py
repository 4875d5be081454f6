"""The models of the churn probability: which speaks, which waits, and the card of each."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.churn.actions.promote import promote
from gengyun.churn.models import ChurnModel, DriftCheck, ModelState
from gengyun.churn.queries import backtests
from gengyun.churn.queries.models import champion, models_of
from gengyun.churn.queries.settings import current, event_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.models import AuditEntry
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import churn_card as present
from gengyun.web.present import churn_report
from gengyun.web.render import render, toast, warn
from gengyun.web.views.insight.common import ask_of, tabs
from gengyun.web.views.settings.common import refusal_text

LISTED = 60
NIGHTS = 14


@page()
def models(request):
    event = event_of(current())
    rows = list(models_of(event)[:LISTED])
    context = {
        "tabs": tabs(request, ask_of(request)),
        "rows": rows,
        "event": event,
        "state_name": present.state_name,
        "rung_name": present.rung_name,
        "reason_words": present.reason_words,
    }
    return render(request, "insight/churn_models.html", context)


@page()
def card(request, pk):
    row = _found(pk)
    made = backtests.newest_done(row.event)
    context = {
        "tabs": tabs(request, ask_of(request)),
        "row": row,
        "rung_name": present.rung_name(row.rung),
        "state_name": present.state_name(row.state),
        "event_words": present.event_words(row),
        "reason": present.reason_words(row.metrics.get("reason", "")),
        "notes": present.notes(row),
        "is_rejected": present.experts_rejected(row.content),
        "members": present.settings_of(row.content),
        "weights": present.weights(row.content, row.settings),
        "race": present.race(row),
        "guard": present.guard(row),
        "shift": present.shifted(row.intercept_shift) if row.intercept_shift else "",
        "drift": [present.drift_line(one) for one in _nights(row)],
        "approved": _approved(row),
        "in_use": champion(row.event),
        "backtest": made,
        "verdict": churn_report.verdict_words(made.result) if made else "",
        "tone": churn_report.tone(made.result) if made else "",
        "tone_word": churn_report.tone_word(made.result) if made else "",
        "may_promote": can(request.user, "settings.edit") and row.state == ModelState.CHALLENGER,
    }
    return render(request, "insight/churn_model.html", context)


def _found(pk):
    row = ChurnModel.objects.filter(pk=pk).select_related("previous").first()
    if row is None:
        raise NotFound
    return row


def _nights(row):
    return DriftCheck.objects.filter(model=row).order_by("-as_of")[:NIGHTS]


def _approved(row):
    """Who put it into use, where a person did; the guard's decisions have no name."""
    entries = AuditEntry.objects.filter(
        action="churn.promote", object_type="churn.churnmodel", object_id=str(row.pk)
    )
    return entries.select_related("actor").order_by("-at").first()


@page("settings.edit", methods=("POST",))
def card_promote(request, pk):
    """A person lets a challenger speak, against the guard if need be; the audit log keeps why."""
    row = _found(pk)
    try:
        promote(
            actor=request.user, now=request.now, model=row, why=request.POST.get("why", "").strip()
        )
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
    else:
        toast(request, _("In use: the next night speaks with this model."))
    address = reverse("web:insight_churn_model", args=[pk])
    return HttpResponseRedirect(address, status=303)
