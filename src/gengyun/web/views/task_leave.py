"""Leave: who is away, who stands in, and saying so for oneself or for those one leads."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound
from gengyun.team.actions.leave import end_leave, set_leave
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.team.queries.people import members_below, possible_owners
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.refusals import attempt
from gengyun.web.render import render, toast

TEMPLATE = "tasks/leave.html"
FIELD_OF = {
    "leave_days_bad": "last",
    "leave_too_long": "last",
    "deputy_unfit": "deputy",
    "deputy_is_self": "deputy",
}


@page("task.work", methods=("GET", "POST"))
def leave(request):
    form = Form.of(request.POST) if request.method == "POST" else Form({})
    if request.method == "POST":
        user = _whose(request, form)
        if form.get("verb") == "end":
            end_leave(actor=request.user, now=request.now, user=user)
            toast(request, _("%(name)s is back") % {"name": user.name})
            return HttpResponseRedirect(reverse("web:task_leave"))
        if _set(request, form, user):
            toast(request, _("Noted: %(name)s is on leave") % {"name": user.name})
            return HttpResponseRedirect(reverse("web:task_leave"))
    status = 422 if form.errors else 200
    return render(request, TEMPLATE, _context(request, form), status=status)


def _whose(request, form):
    wanted = form.get("user") or str(request.user.pk)
    found = _those(request.user).filter(pk=int(wanted)).first() if is_number(wanted) else None
    if found is None:
        raise NotFound
    return found


def _set(request, form, user):
    for name in ("first", "last"):
        form.day(name)
        if not form.errors.get(name) and form.values[name] is None:
            form.errors[name] = _("This is needed.")
    form.choice("deputy", possible_owners())
    given = {name: form.values.get(name) for name in ("first", "last", "deputy")}
    return attempt(
        form,
        lambda: set_leave(actor=request.user, now=request.now, user=user, **given),
        lambda refusal: FIELD_OF.get(refusal.code, "last"),
    )


def _those(user):
    """Whose leave the person may set: their own; who leads, that of their members too."""
    if can(user, "customer.assign"):
        return members_below(user)
    return User.objects.filter(pk=user.pk)


def _context(request, form):
    user, today = request.user, request.today
    mine = {pk: (first, last) for pk, first, last in user.covers}
    away = User.objects.filter(away_until__gte=today, is_active=True).select_related("deputy")
    editable = set(_those(user).values_list("pk", flat=True))
    return {
        "form": form,
        "away": [
            {"user": one, "may_end": one.pk in editable, "is_mine": one.pk in mine}
            for one in away.order_by("away_from", "name", "pk")
        ],
        "people": [(one.pk, one.name) for one in _those(user).only("name").order_by("name", "pk")],
        "deputies": [(one.pk, one.name) for one in possible_owners().order_by("name", "pk")],
    }
