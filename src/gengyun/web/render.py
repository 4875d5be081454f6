"""A page, or one block of it for htmx: the same template, the same context."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template import engines
from django.template.backends.utils import csrf_input_lazy, csrf_token_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from jinja2_fragments import render_block

from gengyun.web.words import one_language

TOASTS = "parts/toasts.html"


def is_htmx(request):
    return request.headers.get("HX-Request") == "true"


def render(request, template, context=None, *, block=None, status=200):
    """`block`: only that block of the template. Toasts ride along with every fragment."""
    engine = engines["jinja2"]
    full = dict(context or {})
    full.update(
        request=request,
        csrf_input=csrf_input_lazy(request),
        csrf_token=csrf_token_lazy(request),
    )
    for processor in engine.template_context_processors:
        full.update(processor(request))
    with one_language():
        if block is None:
            return HttpResponse(engine.env.get_template(template).render(full), status=status)
        html = render_block(engine.env, template, block, full)
        if is_htmx(request):
            html += engine.env.get_template(TOASTS).render(full | {"out_of_band": True})
    response = HttpResponse(html, status=status)
    response["Vary"] = "HX-Request"
    return response


def toast(request, text, *, undo=""):
    """Say what happened; `undo` is a path that a POST takes it back with."""
    messages.success(request, text, extra_tags=undo)


def warn(request, text):
    messages.error(request, text)


def back(request, fallback):
    """Where a plain form returns to: the page it was sent from, if it is one of ours."""
    wanted = request.POST.get("back") or request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return HttpResponseRedirect(wanted)
    return HttpResponseRedirect(fallback)
