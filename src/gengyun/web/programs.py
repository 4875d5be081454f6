"""What programs are answered: JSON, and for every "no" a problem document by RFC 9457.

Texts are English: they are for whoever writes the program. `code` is what programs look at.
"""

import json
from functools import wraps
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from gengyun.kernel.errors import Refusal
from gengyun.team.actions.tokens import TokenInvalid, TokenTooOften, admit
from gengyun.team.calc.tokens import bearer
from gengyun.web.access import marked

MOST_BYTES = 256 * 1024


class BodyTooLarge(Refusal):
    code = "too_large"
    status = 413
    message = "The body has more than %(most)s bytes."


class BodyUnreadable(Refusal):
    code = "invalid_json"
    status = 400
    message = "The body is not a JSON object."


class NotJson(Refusal):
    code = "unsupported_media_type"
    status = 415
    message = "Send the body as application/json."


def program(kind, *, methods=("POST",)):
    """For programs with a token of this kind: `view(request, token, …)`. No session, no cookie, so
    nothing for CSRF to protect."""

    def decorate(view):
        @csrf_exempt
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if request.method not in methods:
                response = problem(405, "method_not_allowed", f"Send a {' or '.join(methods)}.")
                response["Allow"] = ", ".join(methods)
                return response
            try:
                header = request.headers.get("Authorization", "")
                token = admit(now=request.now, token=bearer(header), kind=kind)
                return view(request, token, *args, **kwargs)
            except Refusal as refusal:
                return refused(refusal)

        return marked(guarded, access="token", methods=methods)

    return decorate


def raw_body(request, most=MOST_BYTES):
    """The body's bytes, not more of them than `most`."""
    try:
        body = request.read(most + 1)
    except (RequestDataTooBig, UnreadablePostError):
        raise BodyTooLarge(most=most) from None
    if len(body) > most:
        raise BodyTooLarge(most=most)
    return body


def json_body(request):
    """The object that was sent."""
    if request.content_type != "application/json":
        raise NotJson
    try:
        found = json.loads(raw_body(request).decode())
    except (ValueError, RecursionError):
        raise BodyUnreadable from None
    if not isinstance(found, dict):
        raise BodyUnreadable
    return found


def answer(found, status=200):
    body = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    response = HttpResponse(body, content_type="application/json", status=status)
    response["Cache-Control"] = "no-store"
    return response


def refused(refusal):
    response = problem(refusal.status, refusal.code, str(refusal))
    if isinstance(refusal, TokenInvalid):
        response["WWW-Authenticate"] = 'Bearer realm="gengyun"'
    if isinstance(refusal, TokenTooOften):
        response["Retry-After"] = str(refusal.params["seconds"])
    return response


def problem(status, code, detail):
    """`type` stays about:blank: `title` is then the status in words, `code` says which "no"."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status,
            "detail": detail, "code": code}  # fmt: skip
    response = answer(told, status)
    response["Content-Type"] = "application/problem+json"
    return response
