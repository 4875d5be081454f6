"""`POST /v1/bounces`: a mail server hands in what came back; and the page of its tokens."""

from django.utils.translation import gettext as _

from gengyun.engagement.actions.bounces import take_bounce
from gengyun.engagement.calc.bounces import MOST_BYTES
from gengyun.kernel.errors import Refusal
from gengyun.team.actions.tokens import revoke_token
from gengyun.team.calc.tokens import scope_of
from gengyun.web.access import page
from gengyun.web.programs import answer, program, raw_body
from gengyun.web.views import tokens
from gengyun.web.views.settings.common import go, show

SCOPE = scope_of("touches.bounces")
KINDS = frozenset({"message/rfc822", "application/octet-stream", "text/plain", ""})


class NotAMessage(Refusal):
    code = "unsupported_media_type"
    status = 415
    message = "Send the message as it came, as message/rfc822."


@program("touches.bounces")
def take(request, token):
    """One message as it came. {"kind": hard, soft, complaint, or other: it is none of ours}"""
    if request.content_type not in KINDS:
        raise NotAMessage
    found = take_bounce(now=request.now, raw=raw_body(request, MOST_BYTES))
    return answer({"kind": found[0].kind if found else "other"})


@page("settings.edit", methods=("GET", "POST"))
def listing(request):
    found, status = tokens.handle(request, SCOPE)
    code = (
        f"curl -X POST {request.build_absolute_uri('/v1/bounces')} \\\n"
        f"  -H 'Authorization: Bearer {found['token'] or '$TOKEN'}' \\\n"
        "  -H 'Content-Type: message/rfc822' --data-binary @-"
    )
    context = {"tokens": found, "code": code}
    return tokens.uncached(
        show(request, "settings/bounces.html", "touches", context, status=status)
    )


@page("settings.edit", methods=("POST",))
def revoke(request, token):
    row = revoke_token(actor=request.user, now=request.now, scope=SCOPE, pk=token)
    said = _("The token of “%(name)s” opens nothing any more.") % {"name": row.name}
    return go(request, "settings_bounces", said=said)
