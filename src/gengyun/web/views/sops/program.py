"""`POST /v1/sops/<key>/enter`: a program lets customers into an SOP; and the page of its tokens."""

from django.utils.translation import gettext as _

from gengyun.kernel.errors import Refusal
from gengyun.sop.actions.by_program import enter_by_program
from gengyun.team.actions import tokens
from gengyun.team.calc.tokens import scope_of
from gengyun.team.models import ApiToken
from gengyun.web.access import page
from gengyun.web.programs import answer, json_body, program
from gengyun.web.refusals import refusal_text
from gengyun.web.views.settings.common import go
from gengyun.web.views.sops.common import found_sop, show

TEMPLATE = "sops/program.html"


@program("sops.enter")
def enter(request, token, key):
    """{"customers": ["acct_1", …]}; Idempotency-Key makes sending it again harmless."""
    asked = json_body(request)
    found, is_again = enter_by_program(
        now=request.now,
        token=token,
        sop_key=key,
        external_ids=asked.get("customers"),
        key=request.headers.get("Idempotency-Key", ""),
    )
    response = answer(found)
    if is_again:
        response["Idempotency-Replayed"] = "true"
    return response


@page("sops.edit", methods=("GET", "POST"))
def listing(request, pk):
    """A token is on the screen in the answer that made it, and never again."""
    sop = found_sop(pk)
    scope = scope_of("sops.enter", sop.pk)
    if request.method == "GET":
        return _show(request, sop, scope)
    try:
        row, token = tokens.create_token(
            actor=request.user, now=request.now, scope=scope, name=request.POST.get("name", "")
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        more = {"error": refusal_text(refusal), "typed": request.POST.get("name", "")[:60]}
        return _show(request, sop, scope, more, status=refusal.status)
    return _show(request, sop, scope, {"fresh": row, "token": token}, status=201)


def _show(request, sop, scope, more=None, status=200):
    more = {"fresh": None, "token": "", "error": "", "typed": ""} | (more or {})
    rows = ApiToken.objects.filter(scope=scope).select_related("created_by")
    context = {"tokens": list(rows[:50]), "code": curl(request, sop, more["token"])} | more
    response = show(request, TEMPLATE, sop, "program", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def curl(request, sop, token=""):
    """The call to copy; without a token its place is named."""
    return (
        f"curl -X POST {request.build_absolute_uri(f'/v1/sops/{sop.key}/enter')} \\\n"
        f"  -H 'Authorization: Bearer {token or '$TOKEN'}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -H 'Idempotency-Key: order-4711' \\\n"
        """  -d '{"customers": ["acct_1", "acct_2"]}'"""
    )


@page("sops.edit", methods=("POST",))
def revoke(request, pk, token):
    sop = found_sop(pk)
    scope = scope_of("sops.enter", sop.pk)
    row = tokens.revoke_token(actor=request.user, now=request.now, scope=scope, pk=token)
    said = _("The token of “%(name)s” opens nothing any more.") % {"name": row.name}
    return go(request, "sop_program", sop.pk, said=said)
