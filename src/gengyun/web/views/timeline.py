"""The timeline of a customer: reading, writing, taking back."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as queries
from gengyun.engagement.actions import activities as actions
from gengyun.engagement.queries.timeline import get_activity
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.forms import Form, moment_of
from gengyun.web.numbers import is_number
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.customer import header, people_context, timeline_context

CARD = "customer/timeline.html"


@page()
def listing(request, pk):
    customer = queries.get(request.user, pk)
    block = None
    if is_htmx(request):
        block = "more" if request.GET.get("before") else "timeline"
    return render(request, CARD, _context(request, customer), block=block)


@page("activity.write", methods=("POST",))
def log(request, pk):
    customer = queries.get(request.user, pk)
    form = Form.of(request.POST)
    form.day("happened_on")
    try:
        if form.errors:
            raise BadDay(form.errors["happened_on"])
        activity = actions.log_activity(
            actor=request.user,
            now=request.now,
            customer=customer,
            kind=form.get("kind", "note"),
            body=request.POST.get("body", ""),
            happened_at=moment_of(form.values["happened_on"], now=request.now),
            contact_ids=_ids(request),
            outcome=form.get("outcome"),
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        context = _context(request, customer)
        context |= {"form_errors": refusal_text(refusal), "draft": form.raw, "log_open": True}
        return render(request, CARD, context, block=_block(request), status=422)
    path = reverse("web:activity_delete", args=[pk, activity.pk])
    toast(request, _("Logged for %(name)s") % {"name": customer.name}, undo=path)
    if is_htmx(request):
        return render(request, CARD, _context(request, customer), block="timeline")
    return back(request, reverse("web:customer", args=[pk]) + "#s-timeline")


@page("activity.write", methods=("GET", "POST"))
def edit(request, pk, activity):
    customer, row = _find(request, pk, activity)
    context = {"activity": row}
    if request.method == "POST":
        try:
            actions.edit_activity(
                actor=request.user,
                now=request.now,
                activity=row,
                changes={"body": request.POST.get("body", "")},
            )
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                raise
            context |= _context(request, customer) | {"edit_error": refusal_text(refusal)}
            return render(
                request, "customer/activity.html", context, block=_edit_block(request), status=422
            )
        toast(request, _("Saved"))
        if is_htmx(request):
            return render(request, CARD, _context(request, customer), block="timeline")
        return HttpResponseRedirect(reverse("web:customer", args=[pk]) + "#s-timeline")
    context |= _context(request, customer) | {"activity": row, "edit_error": ""}
    return render(request, "customer/activity.html", context, block=_edit_block(request))


@page("activity.write", methods=("POST",))
def delete(request, pk, activity):
    customer, row = _find(request, pk, activity)
    actions.delete_activity(actor=request.user, now=request.now, activity=row)
    path = reverse("web:activity_restore", args=[pk, activity])
    toast(request, _("Taken off the timeline"), undo=path)
    return _done(request, customer)


@page("activity.write", methods=("POST",))
def restore(request, pk, activity):
    customer, row = _find(request, pk, activity)
    actions.restore_activity(actor=request.user, now=request.now, activity=row)
    toast(request, _("It is back on the timeline"))
    return _done(request, customer)


class BadDay(Refusal):
    code = "bad_day"


def _find(request, pk, activity_pk):
    row = get_activity(request.user, activity_pk)
    if row.customer_id != pk:
        raise NotFound
    return queries.get(request.user, pk), row


def _ids(request):
    return [int(value) for value in request.POST.getlist("contacts") if is_number(value)]


def _block(request):
    return "timeline" if is_htmx(request) else None


def _edit_block(request):
    return "activity" if is_htmx(request) else None


def _done(request, customer):
    if is_htmx(request):
        return render(request, CARD, _context(request, customer), block="timeline")
    return HttpResponseRedirect(reverse("web:customer", args=[customer.pk]) + "#s-timeline")


def _context(request, customer):
    return (
        header(request, customer)
        | people_context(request, customer)
        | timeline_context(request, customer)
    )
