"""`POST /v1/sops/<key>/enter`: a program lets customers into an SOP; and the page of its tokens."""

from django.utils.translation import gettext as _

from gengyun.sop.actions.by_program import enter_by_program
from gengyun.team.actions.tokens import revoke_token
from gengyun.team.calc.tokens import scope_of
from gengyun.web.access import page
from gengyun.web.programs import answer, json_body, program
from gengyun.web.views import tokens
from gengyun.web.views.settings.common import go
from gengyun.web.views.sops.common import found_sop, show


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
    sop = found_sop(pk)
    found, status = tokens.handle(request, scope_of("sops.enter", sop.pk))
    context = {"tokens": found, "code": curl(request, sop, found["token"])}
    return tokens.uncached(
        show(request, "sops/program.html", sop, "program", context, status=status)
    )


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
    row = revoke_token(actor=request.user, now=request.now, scope=scope, pk=token)
    said = _("The token of “%(name)s” opens nothing any more.") % {"name": row.name}
    return go(request, "sop_program", sop.pk, said=said)
