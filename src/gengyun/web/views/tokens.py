"""The tokens of one scope on a page: listed, made, revoked. A token is on the screen in the answer
that made it, and never again."""

from gengyun.kernel.errors import Refusal
from gengyun.team.actions import tokens
from gengyun.team.models import ApiToken
from gengyun.web.refusals import refusal_text

SHOWN = 50


def handle(request, scope):
    """(what the template shows, status): a GET looks, a POST makes a token."""
    found = {"fresh": None, "token": "", "error": "", "typed": "", "path": request.path}
    status = 200
    if request.method == "POST":
        name = request.POST.get("name", "")
        try:
            found["fresh"], found["token"] = tokens.create_token(
                actor=request.user, now=request.now, scope=scope, name=name
            )
            status = 201
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                raise
            found |= {"error": refusal_text(refusal), "typed": name[:60]}
            status = refusal.status
    rows = ApiToken.objects.filter(scope=scope).select_related("created_by")
    return found | {"rows": list(rows[:SHOWN])}, status


def uncached(response):
    """The page holds a secret: no browser and no proxy keeps it."""
    response["Cache-Control"] = "no-store"
    return response
