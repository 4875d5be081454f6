"""Pages for what went wrong."""

import logging
import secrets
import sys

from django.http import HttpResponse
from django.template import engines
from django.utils.translation import gettext as _

from gengyun.web.render import is_htmx, render, warn

log = logging.getLogger(__name__)


def not_found(request, exception=None):
    if is_htmx(request):
        warn(request, _("Not found."))
        response = render(request, "refusal.html", {}, block="nothing", status=404)
        response["HX-Reswap"] = "none"
        return response
    return render(request, "404.html", {}, status=404)


def server_error(request):
    """Our fault: a number to quote, and the same number in the log."""
    number = secrets.token_hex(4).upper()
    log.error("error %s on %s %s", number, request.method, request.path, exc_info=sys.exc_info())
    html = engines["jinja2"].env.get_template("500.html").render({"number": number})
    response = HttpResponse(html, status=500)
    response["HX-Reswap"] = "none"
    return response
