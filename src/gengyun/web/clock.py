"""The moment of a request: read once, so that one page tells one time throughout."""

from contextvars import ContextVar

from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of

_moment = ContextVar("moment", default=None)
_today = ContextVar("today", default=None)


def now():
    """The request's moment; outside a request, this one."""
    return _moment.get() or utc_now()


def today():
    return _today.get() or day_of(now())


class MomentMiddleware:
    """Fixes the moment for the length of a request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = _moment.set(utc_now())
        request.now = _moment.get()
        request.today = day_of(request.now)
        day = _today.set(request.today)
        try:
            return self.get_response(request)
        finally:
            _today.reset(day)
            _moment.reset(token)
