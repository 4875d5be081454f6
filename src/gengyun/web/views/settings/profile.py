"""One's own settings: language, colours, row height, password."""

from django.contrib.auth import update_session_auth_hash
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.users import PREFERENCES, set_password, set_preferences
from gengyun.web.access import page
from gengyun.web.views.settings.common import field_of, go, refusal_text, show

TEMPLATE = "settings/profile.html"


@page(None, methods=("GET", "POST"))
def profile(request):
    if request.method == "GET":
        return show(request, TEMPLATE, "profile")
    given = {name: request.POST[name] for name in PREFERENCES if name in request.POST}
    try:
        user = set_preferences(actor=request.user, now=utc_now(), **given)
    except Refusal as refusal:
        return show(request, TEMPLATE, "profile", {"error": refusal_text(refusal)}, status=422)
    with translation.override(user.language):  # the answer speaks the language just chosen
        return go(request, "profile", said=_("Saved. It applies from this page on."))


@page(None, methods=("POST",))
@sensitive_post_parameters("old", "new", "again")
def change_password(request):
    """The old password again, so that an open screen is not enough to take the account over."""
    errors = {}
    if not request.user.check_password(request.POST.get("old", "")):
        errors["old"] = _("This is not your present password.")
    elif request.POST.get("new", "") != request.POST.get("again", ""):
        errors["again"] = _("The two new passwords differ.")
    if not errors:
        try:
            user = set_password(
                actor=request.user, now=utc_now(), user=request.user, password=request.POST["new"]
            )
        except Refusal as refusal:
            errors = field_of(refusal, {"password_too_weak": "new"})
        else:
            update_session_auth_hash(request, user)
            return go(
                request, "profile", said=_("Password changed. Other sessions are logged out.")
            )
    return show(request, TEMPLATE, "profile", {"errors": errors}, status=422)
