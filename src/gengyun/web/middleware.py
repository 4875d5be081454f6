"""Per-request concerns of pages: the person's language, and refusals turned into answers."""

from django.utils import translation

from gengyun.kernel.errors import Refusal
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, warn


class PersonMiddleware:
    """Use the language the person chose in their profile."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class RefusalMiddleware:
    """A refusal that a view did not show itself becomes the answer for its status."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Refusal):
            return None
        text = refusal_text(exception)
        if is_htmx(request):
            # what was on the screen stays; the reason comes as a toast
            warn(request, text)
            response = render(request, "refusal.html", {}, block="nothing")
            response.status_code = exception.status
            response["HX-Reswap"] = "none"
            return response
        context = {"text": text, "status": exception.status, "code": exception.code}
        return render(request, "refusal.html", context, status=exception.status)
