"""What a person says about a customer's health: sentiment and override, on the health card."""

from datetime import date

from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.health.actions import opinions
from gengyun.kernel.errors import Refusal
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present.scorecard_form import number
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.undo import remember
from gengyun.web.views import customer as customer_view
from gengyun.web.views.settings.common import field_of

FIELDS = {
    "reason_missing": "reason",
    "level_unknown": "level",
    "points_out_of_range": "points",
    "until_out_of_range": "until",
}


@page("customer.edit", methods=("POST",))
def sentiment(request, pk):
    customer = customer_queries.get(request.user, pk)
    level = request.POST.get("level", "")
    try:
        said = opinions.set_sentiment(
            actor=request.user,
            now=request.now,
            customer=customer,
            level=int(level) if is_number(level) else 0,
            reason=request.POST.get("reason", ""),
        )
    except Refusal as refusal:
        return _card(request, customer, "sentiment", field_of(refusal, FIELDS))
    undo = remember(request, "sentiment", [pk, said.pk])
    told = _("Noted until %(day)s; then you are asked again.") % {"day": said.valid_until}
    return _done(request, customer, told, undo)


@page("customer.edit", methods=("POST",))
def override(request, pk):
    customer = customer_queries.get(request.user, pk)
    points = number(request.POST.get("points", ""))
    errors = {}
    try:
        until = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        until, errors = None, {"until": _("Choose a day.")}
    if points is None:
        errors["points"] = _("Enter a number.")
    if errors:
        return _card(request, customer, "override", errors)
    try:
        made = opinions.set_override(
            actor=request.user,
            now=request.now,
            customer=customer,
            mode=request.POST.get("mode", ""),
            points=points,
            reason=request.POST.get("reason", ""),
            until=until,
        )
    except Refusal as refusal:
        return _card(request, customer, "override", field_of(refusal, FIELDS))
    undo = remember(request, "override", [pk, made.pk])
    return _done(request, customer, _("Set by hand; the computed score stays beside it."), undo)


@page("customer.edit", methods=("POST",))
def override_end(request, pk):
    customer = customer_queries.get(request.user, pk)
    ended = opinions.end_overrides(actor=request.user, now=request.now, customer=customer)
    undo = remember(request, "override_ended", [pk, max(ended)])
    return _done(request, customer, _("Back to the computed score."), undo)


def _done(request, customer, told, undo):
    toast(request, told, undo=undo)
    if not is_htmx(request):
        return back(request, f"/customers/{customer.pk}/#s-health")
    context = customer_view.header(request, customer)
    context |= customer_view.health_context(request, customer)
    return render(request, "customer/health.html", context, block="health")


def _card(request, customer, form, errors):
    """The card again with the form open, what was typed, and the error beside its field."""
    context = customer_view.header(request, customer)
    context |= customer_view.health_context(request, customer)
    context |= {"open_form": form, "typed": request.POST, "errors": errors}
    block = "health" if is_htmx(request) else None
    return render(request, "customer/health.html", context, block=block, status=422)
