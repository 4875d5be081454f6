"""Saved views of the customer list."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.portfolio.actions import views as actions
from gengyun.portfolio.queries.views import get_view
from gengyun.team.queries.access import can
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.present import list_query
from gengyun.web.render import toast


@page(methods=("POST",))
def save(request):
    """The list as it stands, under a new name."""
    query = list_query.of_request(request.POST).query()
    view = actions.save_view(
        actor=request.user,
        now=request.now,
        name=request.POST.get("name", ""),
        query=query.as_json(),
        is_shared=_shared(request),
    )
    toast(request, _("View “%(name)s” saved") % {"name": view.name})
    return _to(view.pk)


@page(methods=("POST",))
def change(request, pk):
    """Save what was changed in a view, rename it, share it, move its tab, or delete it."""
    view = get_view(request.user, pk)
    verb = request.POST.get("verb", "")
    common = {"actor": request.user, "now": request.now, "view": view}
    if verb == "delete":
        return _delete(request, view, common)
    if verb in {"left", "right"}:
        actions.move_view(by=-1 if verb == "left" else 1, **common)
        return _to(pk)
    keep = verb == "rename"
    query = view.query if keep else list_query.of_request(request.POST).query().as_json()
    actions.save_view(
        name=request.POST.get("name", view.name),
        query=query,
        is_shared=_shared(request) if keep else view.is_shared,
        **common,
    )
    toast(request, _("View “%(name)s” saved") % {"name": view.name})
    return _to(pk)


def _delete(request, view, common):
    held = {"name": view.name, "query": view.query, "is_shared": view.is_shared}
    actions.delete_view(**common)
    path = undo.remember(request, "view", held)
    toast(request, _("View “%(name)s” deleted") % {"name": held["name"]}, undo=path)
    return HttpResponseRedirect(reverse("web:customers"))


def _shared(request):
    return request.POST.get("shared") == "1" and can(request.user, "view.share")


def _to(pk):
    return HttpResponseRedirect(f"{reverse('web:customers')}?view={pk}")
