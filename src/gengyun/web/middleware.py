"""Per-request concerns of pages: the person's language, and refusals turned into answers."""

from django.shortcuts import render
from django.utils import translation

from gengyun.kernel.errors import Refusal


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
    """A refusal that a view did not show itself becomes the page for its status."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Refusal):
            return None
        text = translation.gettext(exception.message)
        if exception.params:
            text %= exception.params
        return render(request, "refusal.html", {"text": text}, status=exception.status)
