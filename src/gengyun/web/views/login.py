"""Login, logout, and the language of a person who is not logged in yet."""

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from gengyun.team.actions.users import set_preferences
from gengyun.web.access import page, public
from gengyun.web.render import render

TEMPLATE = "login.html"
LONGEST = 254  # characters of an email address (RFC 5321)


@public(methods=("GET", "POST"))
def log_in(request):
    target = _safe_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    context = {"next": target, "email": _given(request), "error": ""}
    if request.method == "POST":
        user = authenticate(
            request, username=context["email"], password=request.POST.get("password", "")
        )
        if user is not None:
            login(request, user)
            return HttpResponseRedirect(target)
        if getattr(request, "axes_locked_out", False):
            return locked_out(request, {"username": context["email"]})
        context["error"] = _("The email and the password do not match, or the account is closed.")
    return render(request, TEMPLATE, context, status=422 if context["error"] else 200)


def locked_out(request, credentials=None, *args, **kwargs):
    """Too many wrong passwords: axes calls this instead of the view."""
    context = {
        "next": _safe_next(request),
        "email": (credentials or {}).get("username", "") or _given(request),
        "error": _("Too many wrong passwords. Wait 15 minutes, then try again."),
    }
    return render(request, TEMPLATE, context, status=429)


@page(methods=("POST",))
def log_out(request):
    logout(request)
    return HttpResponseRedirect(reverse("web:login"))


@public(methods=("POST",))
def set_language(request):
    wanted = request.POST.get("language", "")
    response = HttpResponseRedirect(_safe_next(request))
    if wanted not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        set_preferences(actor=request.user, now=request.now, language=wanted)
    translation.activate(wanted)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, wanted, max_age=365 * 86_400, samesite="Lax")
    return response


def _given(request):
    """The address that was typed. One longer than an address can be is nobody's: it is cut."""
    return request.POST.get("username", "").strip()[:LONGEST]


def _safe_next(request):
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/"
