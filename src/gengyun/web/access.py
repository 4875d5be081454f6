"""Who may open a page: every view carries one of these marks, and a test walks the paths."""

from functools import wraps
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from gengyun.team.queries.access import require


def public(*, methods=("GET",)):
    """For pages that need no login: login itself, the language switch."""

    def decorate(view):
        return _marked(view, access="public", methods=methods, check=None)

    return decorate


def page(capability=None, *, methods=("GET",)):
    """Login required, and the capability where one is named. Whose rows they see is for queries."""

    def decorate(view):
        def check(request):
            if not request.user.is_authenticated:
                return _to_login(request)
            if capability:
                require(request.user, capability)
            return None

        return _marked(view, access=capability or "login", methods=methods, check=check)

    return decorate


def _marked(view, *, access, methods, check):
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method not in allowed:
            return HttpResponseNotAllowed(sorted(allowed))
        answer = check(request) if check else None
        return answer or view(request, *args, **kwargs)

    guarded.access = access
    guarded.methods = frozenset(methods)
    return guarded


def marked(view, *, access, methods):
    """A view that guards itself, with the marks that the walk over the paths looks for."""
    view.access = access
    view.methods = frozenset(methods)
    return view


def _to_login(request):
    here = request.get_full_path() if request.method == "GET" else "/"
    login = reverse("web:login")
    if request.headers.get("HX-Request"):
        # a fragment cannot show the login page: the whole page goes there
        back = request.headers.get("HX-Current-URL", "/")
        path = "/" + back.split("://", 1)[-1].partition("/")[2]
        response = HttpResponse(status=401)
        response["HX-Redirect"] = f"{login}?{urlencode({'next': path})}"
        return response
    return HttpResponseRedirect(f"{login}?{urlencode({'next': here})}")
