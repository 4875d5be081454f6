"""The page behind "unsubscribe": no login, the link in the message is the right.

Opening it changes nothing, since mail programs look ahead at links (RFC 8058); a POST does, from
the page's own button or from the mail program's ("List-Unsubscribe=One-Click"). It has no cookie,
so no CSRF token.
"""

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from gengyun.engagement.actions import opt_outs
from gengyun.engagement.models import OptOut
from gengyun.web.access import public
from gengyun.web.present import touches as present
from gengyun.web.render import render

TEMPLATE = "touches/unsubscribe.html"


@csrf_exempt
@public(methods=("GET", "POST"))
def unsubscribe(request, token):
    try:
        touch = opt_outs.touch_of_link(token[:64])
    except opt_outs.LinkUnknown:
        context = {"view": "lost", "title": _("Messages")}
        return _private(render(request, TEMPLATE, context, status=404))
    wanted = request.POST.get("lang") or request.GET.get("lang") or touch.language
    language = wanted if wanted in {"zh-hans", "en"} else touch.language
    with translation.override(language):
        return _private(_answered(request, touch, language))


def _private(response):
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _answered(request, touch, language):
    view = "ask"
    if request.method == "POST":
        if request.POST.get("List-Unsubscribe") == "One-Click":
            opt_outs.unsubscribe(now=request.now, token=touch.token, source="one_click")
            return HttpResponse(_("Unsubscribed."), content_type="text/plain; charset=utf-8")
        view = _posted(request, touch)
    context = {
        "view": view,
        "title": _("Messages"),
        "touch": touch,
        "category": present.category_word(touch.category),
        "language": language,
        "other": "en" if language != "en" else "zh-hans",
        "here": request.path,
    }
    return render(request, TEMPLATE, context)


def _posted(request, touch):
    if request.POST.get("verb") == "again":
        opt_outs.subscribe_again(now=request.now, token=touch.token)
        return "again"
    everything = request.POST.get("category") == OptOut.ALL
    category = OptOut.ALL if everything else ""
    opt_outs.unsubscribe(now=request.now, token=touch.token, category=category)
    return "all" if everything else "done"
