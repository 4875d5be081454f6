"""Risks that people note on the customer's page: noted, settled, taken back."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.alerts.models import RiskCause
from gengyun.customers.queries import customers as customer_queries
from gengyun.engagement.actions import risks as actions
from gengyun.engagement.models import Risk
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views import customer_later
from gengyun.web.views.settings.common import refusal_text
from gengyun.web.words import pick

VERBS = {"settled", "mistaken", "resume"}


@page("activity.write", methods=("POST",))
def note(request, pk):
    """A fact with a cause and a day; the alert that follows from it opens within the minute."""
    customer = customer_queries.get(request.user, pk)
    wanted = request.POST.get("cause", "")
    cause = RiskCause.objects.filter(key=wanted, retired_at__isnull=True).first()
    if wanted and cause is None:
        raise NotFound
    try:
        day = date.fromisoformat(request.POST.get("happened_on", "") or request.today.isoformat())
    except ValueError:
        raise actions.RiskDayBad from None
    try:
        actions.note_risk(
            actor=request.user,
            now=request.now,
            customer=customer,
            cause=cause.key if cause else "",
            happened_on=day,
            note=request.POST.get("note", ""),
        )
    except Refusal as refusal:
        return _answer(request, customer, error=refusal_text(refusal), status=refusal.status)
    toast(request, _("%(name)s: %(what)s noted") % {"name": customer.name, "what": pick(cause)})
    return _answer(request, customer)


@page("activity.write", methods=("POST",))
def end(request, pk, risk, verb):
    customer = customer_queries.get(request.user, pk)
    found = Risk.objects.visible_to(request.user).filter(pk=risk, customer=customer).first()
    if found is None or verb not in VERBS:
        raise NotFound
    by = {"actor": request.user, "now": request.now, "risk": found}
    if verb == "resume":
        actions.resume_risk(**by)
        toast(request, _("The risk goes on"))
    else:
        actions.end_risk(mistaken=verb == "mistaken", **by)
        said = _("The risk is settled") if verb == "settled" else _("The note is taken back")
        undo = reverse("web:customer_risk", args=[customer.pk, found.pk, "resume"])
        toast(request, said, undo=undo)
    return _answer(request, customer)


def _answer(request, customer, *, error="", status=200):
    if not is_htmx(request) and not error:
        return back(request, reverse("web:customer", args=[customer.pk]))
    context = customer_later.alerts_context(request, customer) | {"risk_error": error}
    block = "alerts" if is_htmx(request) else None
    return render(request, "customer/alerts.html", context, block=block, status=status)
